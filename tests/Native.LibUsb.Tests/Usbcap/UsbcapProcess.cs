using System.Diagnostics;
using System.Reflection;
using System.Text;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Usbcap;

/// <summary>
/// Represents a process that runs the published usbcap on a virtual bus. A process that does not end in time is killed, and the test fails with the output
/// of the process.
/// </summary>
internal sealed class UsbcapProcess : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly MemoryStream _output = new();
    private readonly Task _reading;
    private readonly Task<string> _error;

    private UsbcapProcess(Process process, Task? before)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
        _reading = Read(before);
    }

    public static string Executable { get; } = typeof(UsbcapProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "UsbcapExecutable").Value!;

    public int Id => _process.Id;

    /// <summary>Starts usbcap.</summary>
    /// <param name="bus">The bus that the process uses.</param>
    /// <param name="folder">The current folder of the process.</param>
    /// <param name="arguments">The arguments of usbcap.</param>
    /// <param name="readAfter">
    /// The task that must complete before the test reads the standard output; null if the test reads the standard output from the start.
    /// </param>
    public static UsbcapProcess Start(VirtualBus bus, string folder, IEnumerable<string> arguments, Task? readAfter = null) =>
        Start(bus, folder, Executable, arguments, readAfter);

    /// <summary>Starts a bash script in which <c>"$0"</c> is usbcap.</summary>
    public static UsbcapProcess StartShell(VirtualBus bus, string folder, string script) =>
        Start(bus, folder, "bash", ["-c", script, Executable], null);

    public void Signal(string name) => Signals.Send(Id, name);

    public bool HasEnded => _process.HasExited;

    public UsbcapResult Wait()
    {
        WaitForExit();
        _reading.Wait(s_limit);
        return new UsbcapResult(_process.ExitCode, _output.ToArray(), _error.Result);
    }

    /// <summary>Waits for the end of the process, and checks that a signal has ended the process.</summary>
    public void WaitForSignalDeath(int signal)
    {
        WaitForExit();
        Assert.Equal(128 + signal, _process.ExitCode);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private static UsbcapProcess Start(VirtualBus bus, string folder, string program, IEnumerable<string> arguments, Task? readAfter)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder };
        bus.ApplyTo(start);
        return new UsbcapProcess(Process.Start(start)!, readAfter);
    }

    private void WaitForExit()
    {
        if (_process.WaitForExit(s_limit))
            return;
        _process.Kill(entireProcessTree: true);
        _process.WaitForExit();
        Assert.Fail($"usbcap did not end within {s_limit.TotalSeconds} s. Its output:\n{_error.Result}\n{Encoding.UTF8.GetString(_output.ToArray())}");
    }

    private async Task Read(Task? before)
    {
        if (before is not null)
            await before.ConfigureAwait(false);
        await _process.StandardOutput.BaseStream.CopyToAsync(_output).ConfigureAwait(false);
    }
}
