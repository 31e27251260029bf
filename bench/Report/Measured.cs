using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Native.LibUsb.Bench.Report;

/// <summary>Represents the account that a program prints at its end.</summary>
/// <param name="Completed">Transfers.</param>
/// <param name="Failed">Those of them, or packets, that brought nothing.</param>
/// <param name="Bytes">What they brought.</param>
/// <param name="Sum">Of the first bytes of each.</param>
/// <param name="PeakKib">The most that was resident.</param>
/// <param name="Allocated">Bytes that the threads that handle events have allocated; null for programs other than .NET's.</param>
/// <param name="AllocatedElsewhere">Bytes that all other threads have allocated, the runtime's among them.</param>
/// <param name="Collections">Of the garbage collector.</param>
internal sealed record Account(
    long Completed, long Failed, long Bytes, long Sum, int PeakKib, long? Allocated = null, long? AllocatedElsewhere = null, int? Collections = null)
{
    /// <summary>Bytes that the whole process has allocated.</summary>
    public long AllocatedByAll => (Allocated ?? 0) + (AllocatedElsewhere ?? 0);
}

/// <summary>Represents a capture program that runs on a bus of its own, and makes slices when it is instructed to.</summary>
internal sealed class Measured : IDisposable
{
    // The preload completes the transfers of these endpoints itself, as they are submitted: what is left is libusb and the program.
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
            // SuperSpeed or not, a bus has eight ports
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

    /// <summary>Makes so many transfers in each context.</summary>
    /// <returns>Nanoseconds of the processor, for one transfer.</returns>
    public double Slice(long transfers)
    {
        Write(transfers.ToString(CultureInfo.InvariantCulture));
        string[] numbers = ReadLine().Split(' ');
        return double.Parse(numbers[0], CultureInfo.InvariantCulture) / (transfers * Work.Contexts);
    }

    /// <summary>Ends it.</summary>
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
            throw new InvalidOperationException($"{Subject}, {Work.Name}: it has ended", exception);
        }
    }

    private string ReadLine()
    {
        Task<string?> line = _process.StandardOutput.ReadLineAsync();
        if (!line.Wait(s_patience))
            throw new InvalidOperationException($"{Subject}, {Work.Name}: no answer for {s_patience}");
        return line.Result ?? throw new InvalidOperationException($"{Subject}, {Work.Name}: it has ended");
    }
}
