using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Native.LibUsb.Tests.Documentation;

/// <summary>
/// Compiles a program from the documentation in the same way as the SDK compiles the Program.cs of a new console project. The compilation uses the SDK's
/// implicit usings and nullable reference types, and ignores the settings of the repository's projects. The program references .NET and the packages'
/// assemblies from the build output.
/// </summary>
internal static class ProgramCompiler
{
    // The SDK writes these lines for <ImplicitUsings>enable</ImplicitUsings> in a console project.
    internal const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private const string RuntimeConfiguration = """
        { "runtimeOptions": { "tfm": "net10.0", "framework": { "name": "Microsoft.NETCore.App", "version": "10.0.0" } } }
        """;

    private static readonly string[] s_packages = ["Native.LibUsb.dll", "Native.LibUsb.Testing.dll"];

    private static readonly CSharpParseOptions s_language = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.CSharp14);

    private static readonly Lazy<MetadataReference[]> s_references = new(() =>
    [
        .. Directory.EnumerateFiles(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "*.dll").Where(IsManaged)
            .Concat(s_packages.Select(static name => Path.Combine(AppContext.BaseDirectory, name)))
            .Select(static file => MetadataReference.CreateFromFile(file)),
    ]);

    /// <summary>Compiles a program into a folder, and copies the program's dependencies into this folder.</summary>
    /// <param name="place">The location of the code in the document, for messages.</param>
    /// <param name="code">The code of the program.</param>
    /// <param name="folder">The path of an empty folder.</param>
    /// <param name="program">Receives the path of the program, which <c>dotnet exec</c> can run.</param>
    /// <returns>The errors and warnings of the compiler. If the compilation succeeded, the list is empty.</returns>
    public static IReadOnlyList<string> Compile(string place, string code, string folder, out string program)
    {
        program = Path.Combine(folder, "Documented.dll");
        var compilation = CSharpCompilation.Create(
            "Documented",
            [CSharpSyntaxTree.ParseText(ImplicitUsings, s_language), CSharpSyntaxTree.ParseText(code, s_language, place)],
            s_references.Value,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable));
        using (FileStream file = File.Create(program))
        {
            string[] faults =
            [
                .. compilation.Emit(file).Diagnostics.Where(static one => one.Severity >= DiagnosticSeverity.Warning).Select(static one => one.ToString()),
            ];
            if (faults.Length > 0)
                return faults;
        }

        File.WriteAllText(Path.ChangeExtension(program, ".runtimeconfig.json"), RuntimeConfiguration);
        foreach (string name in s_packages)
            File.Copy(Path.Combine(AppContext.BaseDirectory, name), Path.Combine(folder, name));
        return [];
    }

    // The folder of the runtime contains native libraries in addition to managed assemblies.
    private static bool IsManaged(string file)
    {
        try
        {
            _ = AssemblyName.GetAssemblyName(file);
            return true;
        }
        catch (BadImageFormatException)
        {
            return false;
        }
    }
}
