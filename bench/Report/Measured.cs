using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Native.LibUsb.Bench.Report;

/// <summary>Represents the results that a capture program prints before it exits.</summary>
/// <param name="Completed">The number of completed transfers.</param>
/// <param name="Failed">The number of transfers or packets that failed.</param>
/// <param name="Bytes">The number of bytes that arrived.</param>
/// <param name="Sum">The sum of the first bytes of all transfers or packets.</param>
/// <param name="PeakKib">The peak of the resident memory in KiB.</param>
/// <param name="Allocated">The number of bytes allocated by the threads that handle events; null for programs that do not use .NET.</param>
/// <param name="AllocatedElsewhere">The number of bytes that all other threads have allocated, including the threads of the runtime.</param>
/// <param name="Collections">The number of garbage collections.</param>
internal sealed record Account(
    long Completed, long Failed, long Bytes, long Sum, int PeakKib, long? Allocated = null, long? AllocatedElsewhere = null, int? Collections = null)
{
    /// <summary>Gets the number of bytes that the whole process has allocated.</summary>
    public long AllocatedByAll => (Allocated ?? 0) + (AllocatedElsewhere ?? 0);
}

/// <summary>Represents a running capture program, which has its own virtual bus. The program runs a slice whenever the report program requests one.</summary>
internal sealed class Measured : IDisposable
{
    // The preload library completes each transfer of these endpoints as soon as it is submitted. The measured time is therefore only the time that libusb and
    // the program need.
    private const string LocalEndpoints = "81,01";

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private readonly Process _process;

    public Measured(Subject subject, Work work, params string[] wrapper)
    {
        Subject = subject;
        Work = work;
        var start = new ProcessStartInfo("artifacts/bench/usbvbus/usbvbus") { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["NATIVE_LIBUSB_USBFS_LOCAL"] = LocalEndpoints;
        start.ArgumentList.Add("run");
        start.ArgumentList.Add("--usbfs-memory");
        start.ArgumentList.Add("0");
        for (int i = 0; i < work.Devices; i++)
        {
            // A bus has eight ports, at SuperSpeed and at lower speeds.
            start.ArgumentList.Add("--device");
            start.ArgumentList.Add(FormattableString.Invariant($"{work.Device},port={(i / 8) + 1}-{(i % 8) + 1}"));
        }

        start.ArgumentList.Add("--");
        foreach (string argument in wrapper.Concat(subject.Command).Concat(work.Arguments))
            start.ArgumentList.Add(argument);
        _process = Process.Start(start)!;
    }

    public Subject Subject { get; }

    public Work Work { get; }

    /// <summary>Completes the given number of transfers in each context.</summary>
    /// <returns>The average processor time of one transfer, in nanoseconds.</returns>
    public double Slice(long transfers)
    {
        Write(transfers.ToString(CultureInfo.InvariantCulture));
        string[] numbers = ReadLine().Split(' ');
        return double.Parse(numbers[0], CultureInfo.InvariantCulture) / (transfers * Work.Contexts);
    }

    /// <summary>Ends the program, and returns its account.</summary>
    public Account End()
    {
        _process.StandardInput.Close();
        Account account = JsonSerializer.Deserialize<Account>(ReadLine(), s_json)!;
        if (!_process.WaitForExit(s_patience) || _process.ExitCode != 0 || account.Failed != 0)
            throw new InvalidOperationException($"{Subject}, {Work.Name}: exit code {_process.ExitCode}, {account.Failed} failed");
        return account;
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private void Write(string line)
    {
        try
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
        catch (IOException exception)
        {
            throw new InvalidOperationException($"{Subject}, {Work.Name}: the program has ended", exception);
        }
    }

    private string ReadLine()
    {
        Task<string?> line = _process.StandardOutput.ReadLineAsync();
        if (!line.Wait(s_patience))
            throw new InvalidOperationException($"{Subject}, {Work.Name}: no answer for {s_patience}");
        return line.Result ?? throw new InvalidOperationException($"{Subject}, {Work.Name}: the program has ended");
    }
}
