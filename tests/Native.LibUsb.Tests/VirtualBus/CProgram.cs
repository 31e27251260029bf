using System.Diagnostics;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Represents a C program of the tests, which is compiled on this machine.</summary>
public sealed class CProgram : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Compiles a source file from the folder of the tests.</summary>
    /// <param name="source">The name of the source file.</param>
    /// <param name="options">The compiler options that follow the name of the source file.</param>
    public CProgram(string source, params string[] options)
    {
        Path = _folder.File("program");
        if (VirtualBus.ChildrenUnavailableReason is not null)
            return;
        ProcessStartInfo start = new("cc", ["-Wall", "-Wextra", "-Werror", "-o", Path, System.IO.Path.Combine(AppContext.BaseDirectory, "VirtualBus", source), .. options]);
        VirtualBus.RemoveFrom(start);
        using Process compiler = Process.Start(start)!;
        compiler.WaitForExit();
        Assert.Equal(0, compiler.ExitCode);
    }

    /// <summary>Gets the path of the program.</summary>
    public string Path { get; }

    /// <summary>Starts the program on a bus, and redirects its standard output and standard error.</summary>
    public Process Start(VirtualBus bus, params string[] arguments)
    {
        ProcessStartInfo start = new(Path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        bus.ApplyTo(start);
        return Process.Start(start)!;
    }

    /// <summary>Deletes the program.</summary>
    public void Dispose() => _folder.Dispose();
}
