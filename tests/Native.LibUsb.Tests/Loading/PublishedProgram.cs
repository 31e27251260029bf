using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Tests.Loading;

/// <summary>Represents a program that uses the library. A test publishes this program for the .NET runtime that also runs the tests.</summary>
internal sealed class PublishedProgram : IDisposable
{
    private static readonly string s_dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    private readonly TemporaryFolder _folder = new();

    /// <summary>Gets the path of a file in the folder of the project.</summary>
    public string File(string name) => _folder.File(name);

    /// <summary>Gets the path of a file in the folder of the published program.</summary>
    public string Published(string name) => _folder.File(Path.Combine("out", name));

    public void Publish(string source, string properties = "", string items = "")
    {
        _folder.Write("Program.cs", source);
        _folder.Write("Program.csproj", $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <RuntimeIdentifier>{RuntimeInformation.RuntimeIdentifier}</RuntimeIdentifier>
                <SelfContained>false</SelfContained>
                {properties}
              </PropertyGroup>
              <ItemGroup>
                <Reference Include="{typeof(UsbLibrary).Assembly.Location}" />
                {items}
              </ItemGroup>
            </Project>
            """);
        Run(Path.Combine(s_dotnet, "dotnet"), ["publish", "-c", "Release", "-v", "quiet", "-nodeReuse:false", "-o", File("out"), File("Program.csproj")]);
    }

    /// <summary>Runs the program.</summary>
    /// <returns>The lines that the program has printed.</returns>
    public string[] Run(string[] arguments, params (string Name, string Value)[] environment) =>
        Run(Published("Program"), arguments, [.. environment, ("DOTNET_ROOT", s_dotnet)]).Split('\n');

    public void Dispose() => _folder.Dispose();

    private static string Run(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["LD_PRELOAD"] = "" } };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(3)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} did not end.");
        }

        Assert.True(process.ExitCode == 0, $"{program} ended with {process.ExitCode}: {output.GetAwaiter().GetResult()}{errors.GetAwaiter().GetResult()}");
        return output.GetAwaiter().GetResult();
    }
}
