using System.ComponentModel;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Native.LibUsb.Generator.Clang;

/// <summary>Runs clang on the input header. clang finds no system headers except the stubs and its own headers.</summary>
internal sealed partial class ClangCompiler
{
    /// <summary>The required version of clang.</summary>
    public const string MajorVersion = "14";

    /// <summary>
    /// Gets the name of the clang program. If PATH contains a clang program whose name includes the required version (for example <c>clang-14</c>), the result
    /// is the name of that program. Otherwise, the result is <c>clang</c>.
    /// </summary>
    public static string Default { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(static folder => File.Exists(Path.Combine(folder, "clang-" + MajorVersion))) ? "clang-" + MajorVersion : "clang";

    private readonly string _program;
    private readonly string _stubs;
    private readonly string _libusbInclude;
    private readonly string _resources;

    /// <param name="program">The name or the path of the clang program.</param>
    /// <param name="stubs">The folder of the stub headers.</param>
    /// <param name="libusbInclude">The folder that contains <c>libusb-1.0/libusb.h</c>.</param>
    public ClangCompiler(string program, string stubs, string libusbInclude)
    {
        _program = program;
        _stubs = Path.GetFullPath(stubs);
        _libusbInclude = Path.GetFullPath(libusbInclude);
        CheckVersion();
        _resources = Path.GetFullPath(Run(["-print-resource-dir"]).Trim());
    }

    // Different versions of clang may print different syntax trees. Without this check, the generated files would depend on the machine's version of clang, and
    // the command `eng/generate.sh check` would fail on some machines.
    private void CheckVersion()
    {
        string version = Run(["--version"]).Split('\n')[0];
        if (Version().Match(version) is not { Success: true } match || match.Groups[1].Value != MajorVersion)
        {
            throw new GeneratorException(
                $"clang {MajorVersion} is needed, and '{_program}' is \"{version}\": install clang-{MajorVersion} and pass --clang clang-{MajorVersion}, or change ClangCompiler.MajorVersion and compare the generated files");
        }
    }

    [GeneratedRegex(@"\bversion (\d+)\.")]
    private static partial Regex Version();

    /// <summary>Returns the declarations of <paramref name="file"/> in clang's JSON form.</summary>
    public string DumpAst(string file) =>
        Run([.. Arguments(Target.All[0]), "-fsyntax-only", "-Xclang", "-ast-dump=json", file]);

    /// <summary>Returns the preprocessed text of <paramref name="file"/>. The text still contains the macro definitions.</summary>
    public string Preprocess(string file) => Run([.. Arguments(Target.All[0]), "-E", "-dD", file]);

    /// <summary>Returns the layouts of records on <paramref name="target"/>. The result contains each record to which <paramref name="file"/> applies
    /// <c>sizeof</c>.</summary>
    /// <remarks>
    /// <c>-fdump-record-layouts-complete</c> would need no <c>sizeof</c>, but is not usable. With this option, clang computes the layout of a record when it
    /// reaches the closing brace of the record, and ignores a <c>packed</c> attribute after the brace.
    /// </remarks>
    public string DumpRecordLayouts(string file, Target target) =>
        Run([.. Arguments(target), "-fsyntax-only", "-Xclang", "-fdump-record-layouts", file]);

    /// <summary>Returns whether a file is part of libusb's interface. The compiler's headers and the stub headers are not part of it.</summary>
    public bool IsInterface(string file) =>
        file.Length > 0 && file[0] != '<' && !IsUnder(file, _stubs) && !IsUnder(file, _resources);

    private static bool IsUnder(string file, string folder) =>
        Path.GetFullPath(file).StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    // With -nostdinc and -ffreestanding, the headers of the machine have no effect, regardless of the target.
    private string[] Arguments(Target target) =>
    [
        $"--target={target.Triple}", "-x", "c", "-std=gnu11", "-nostdinc", "-ffreestanding",
        "-isystem", _stubs, "-isystem", Path.Combine(_resources, "include"), "-idirafter", _libusbInclude, "-include", "stddef.h",
        "-ferror-limit=0", "-fno-caret-diagnostics", "-fno-color-diagnostics", "-fno-diagnostics-show-option",
    ];

    private string Run(string[] arguments)
    {
        var start = new ProcessStartInfo(_program) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment["LC_ALL"] = "C";
        try
        {
            using Process process = Process.Start(start)!;
            // Both pipes are read at the same time, because clang blocks when one of them is full.
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode == 0)
                return output;

            string[] diagnostics = errors.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Where(line => line.Contains("error: ", StringComparison.Ordinal)).ToArray();
            throw new GeneratorException(diagnostics.Length > 0 ? diagnostics : [$"{_program} failed: {errors.Result.Trim()}"]);
        }
        catch (Win32Exception e)
        {
            throw new GeneratorException($"clang is needed and cannot be run as '{_program}': {e.Message} (eng/setup.sh installs it; --clang names another)");
        }
    }
}
