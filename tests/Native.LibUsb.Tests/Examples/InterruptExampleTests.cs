using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Examples;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Examples;

/// <summary>Tests the examples that use interrupt transfers. The examples run in this process. Each test controls when the device sends a report.</summary>
public sealed class InterruptExampleTests : BusTest
{
    private readonly InterruptSource _device = new();

    public InterruptExampleTests() => Bus.Attach(_device);

    private VirtualEndpoint Endpoint => _device.Endpoint(InterruptSource.EndpointAddress);

    [BusFact]
    public void The_helper_calls_one_function_for_each_status_and_cancels_after_the_last_report()
    {
        // The device sends no report before the first read has timed out, and then sends two reports.
        var said = new Transcript(line =>
        {
            if (!line.EndsWith("submitted", StringComparison.Ordinal) && _device.Reports < 2)
                _device.ReportNext();
        });
        Helper(2, said);
        Assert.Equal(["Transfer with helper submitted", "Transfer timed out", Completed(0), Completed(1), "Transfer was cancelled"], said.Lines);
    }

    [BusFact]
    public void The_helper_reports_a_status_that_has_no_function()
    {
        Endpoint.FailNext(UrbStatus.Stall);
        var said = new Transcript();
        Helper(2, said);
        Assert.Equal(["Transfer with helper submitted", "Transfer ended: Stall"], said.Lines);
    }

    [BusFact]
    public void Interrupt_reads_stop_after_the_requested_number()
    {
        Transcript said = Read(3, reports: 4);
        Assert.Equal(
            ["Reading 3 reports of up to 8 bytes from endpoint 0x83", "Report: 0000000000000000", "Report: 0100000000000000", "Report: 0200000000000000"],
            said.Lines);
        Assert.Equal(3, Endpoint.Completed);
    }

    [BusFact]
    public void Interrupt_reads_end_with_the_device()
    {
        var said = new Transcript(line =>
        {
            if (line.StartsWith("Report", StringComparison.Ordinal))
                _device.Unplug();
            else if (line.StartsWith("Reading 3", StringComparison.Ordinal))
                _device.ReportNext();
        });
        InterruptRead.Run(_device.Options.VendorId, _device.Options.ProductId, 3, said);
        Assert.Equal(["Reading 3 reports of up to 8 bytes from endpoint 0x83", "Report: 0000000000000000", "Reading ended: NoDevice"], said.Lines);
    }

    [BusFact]
    public void Interrupt_reads_need_an_interrupt_endpoint()
    {
        var camera = new IsoSource();
        Bus.Attach(camera);
        UsbException failure = Assert.Throws<UsbException>(() => InterruptRead.Run(camera.Options.VendorId, camera.Options.ProductId, 1, new Transcript()));
        Assert.Equal(UsbError.NotFound, failure.Error);
        Assert.Contains("In endpoint for Interrupt transfers", failure.Message, StringComparison.Ordinal);
    }

    [BusFact]
    public void The_event_loop_serves_reports_and_clients_as_they_come()
    {
        using var client = new TcpClient();
        var said = new Transcript();
        said = new Transcript(line =>
        {
            if (line.StartsWith("Server", StringComparison.Ordinal) || line.StartsWith("TCP", StringComparison.Ordinal))
                _device.ReportNext();
            else if (_device.Reports == 1)
                client.Connect(IPAddress.Loopback, PortIn(said.Lines[0]));
        });
        Loop(connections: 1, reports: 2, said, CancellationToken.None);
        Assert.Equal(["USB: received 8 bytes", "TCP: greeted a client", "USB: received 8 bytes", "Event loop stopped"], said.Lines.Skip(1));
        using var reader = new StreamReader(client.GetStream());
        Assert.Equal("Hello from the USB event loop!\n", reader.ReadToEnd());
    }

    [BusFact]
    public void The_event_loop_greets_no_further_clients()
    {
        using TcpClient first = new(), second = new();
        var said = new Transcript();
        said = new Transcript(line =>
        {
            if (line.StartsWith("Server", StringComparison.Ordinal))
                first.Connect(IPAddress.Loopback, PortIn(line));
            else if (line.StartsWith("TCP", StringComparison.Ordinal))
            {
                second.Connect(IPAddress.Loopback, PortIn(said.Lines[0]));
                _device.ReportNext();
            }
        });
        Loop(connections: 1, reports: 1, said, CancellationToken.None);
        Assert.Equal(["TCP: greeted a client", "USB: received 8 bytes", "Event loop stopped"], said.Lines.Skip(1));
    }

    [BusFact]
    public void The_event_loop_can_be_stopped_while_it_waits()
    {
        using var stop = new CancellationTokenSource();
        using var started = new ManualResetEventSlim();
        string task = "";
        var said = new Transcript(_ =>
        {
            if (started.IsSet)
                return;
            task = Directory.ResolveLinkTarget("/proc/thread-self", returnFinalTarget: false)!.FullName; // the thread of the loop: /proc/PID/task/TID
            started.Set();
        });
        var loop = new Thread(() => Loop(1, 1, said, stop.Token)) { IsBackground = true };
        loop.Start();
        Assert.True(started.Wait(Patience));
        // The test waits until the loop sleeps in the kernel. If the test cancelled the token earlier, the loop would stop without sleeping. The test would
        // then not show that the cancellation wakes the loop.
        Assert.True(SpinWait.SpinUntil(() => File.ReadAllText($"{task}/stat").Split(") ")[^1][0] == 'S', Patience), "The loop does not wait.");
        stop.Cancel();
        Assert.True(loop.Join(Patience));
        Assert.Equal(["Event loop stopped", "USB: Canceled"], said.Lines.Skip(1));
    }

    private static string Completed(int number) => $"Completed transfer: 8 bytes, data: {number:x2}00000000000000";

    private static int PortIn(string line) => int.Parse(line.AsSpan("Server listening on port ".Length), CultureInfo.InvariantCulture);

    private void Helper(int reports, Transcript said) => TransferHelper.Run(_device.Options.VendorId, _device.Options.ProductId, reports, said);

    private Transcript Read(int count, int reports)
    {
        var said = new Transcript(_ =>
        {
            while (_device.Reports < reports)
                _device.ReportNext();
        });
        InterruptRead.Run(_device.Options.VendorId, _device.Options.ProductId, count, said);
        return said;
    }

    private void Loop(int connections, int reports, Transcript said, CancellationToken stop) =>
        EventLoop.Run(_device.Options.VendorId, _device.Options.ProductId, connections, reports, said, stop);
}
