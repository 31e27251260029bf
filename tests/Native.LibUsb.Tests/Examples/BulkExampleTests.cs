using Examples;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Examples;

/// <summary>Tests, in this process, the examples that use bulk transfers.</summary>
public sealed class BulkExampleTests : BusTest
{
    private readonly BulkLoopback _device = new();
    private readonly Transcript _said = new();

    public BulkExampleTests() => Bus.Attach(_device);

    [BusFact]
    public void A_basic_transfer_reads_the_greeting_back()
    {
        Basic();
        Assert.Equal(["Transfer submitted", "Transfer completed: 11 bytes", "Received: 48656c6c6f2c2055534221"], _said.Lines);
    }

    [BusFact]
    public void A_basic_transfer_reports_a_timeout()
    {
        _device.Endpoint(BulkLoopback.InAddress).Hold();
        Basic();
        Assert.Equal(["Transfer submitted", "Transfer timed out after 0 bytes"], _said.Lines);
    }

    [BusTheory]
    [InlineData(UrbStatus.Stall, "Transfer ended: Stall")]
    [InlineData(UrbStatus.Protocol, "Transfer ended: Error")]
    public void A_basic_transfer_reports_its_failure(UrbStatus status, string expected)
    {
        _device.Endpoint(BulkLoopback.InAddress).FailNext(status);
        Basic();
        Assert.Equal(["Transfer submitted", expected], _said.Lines);
    }

    [BusTheory]
    [InlineData(20)]
    [InlineData(2)]
    public void Concurrent_transfers_are_as_many_as_requested(int count)
    {
        Concurrent(count);
        int inFlight = Math.Min(4, count);
        Assert.Equal(
            [
                $"Started {inFlight} concurrent transfers",
                .. Enumerable.Range(0, count).Select(i => $"Transfer {i % inFlight} completed: 1024 bytes"),
                "All transfers ended",
            ],
            _said.Lines);
        Assert.Equal(count, _device.Endpoint(BulkLoopback.InAddress).Completed);
        Assert.Equal(0, _device.Waiting);
    }

    [BusFact]
    public void Concurrent_transfers_are_in_flight_together()
    {
        VirtualEndpoint endpoint = _device.Endpoint(BulkLoopback.InAddress);
        endpoint.Hold();
        int pending = 0;
        Concurrent(4, new Transcript(line =>
        {
            if (!line.StartsWith("Started", StringComparison.Ordinal))
                return;
            Assert.True(endpoint.WaitForPending(4, Patience));
            pending = endpoint.Pending.Count;
            endpoint.Resume();
        }));
        Assert.Equal(4, pending);
    }

    [BusFact]
    public void One_concurrent_transfer_fails_and_the_others_go_on()
    {
        _device.Endpoint(BulkLoopback.InAddress).FailNext(UrbStatus.Protocol);
        Concurrent(6);
        Assert.Equal(
            [
                "Started 4 concurrent transfers", "Transfer 0 ended: Error", "Transfer 1 completed: 1024 bytes", "Transfer 2 completed: 1024 bytes",
                "Transfer 3 completed: 1024 bytes", "Transfer 1 completed: 1024 bytes", "Transfer 2 completed: 1024 bytes", "All transfers ended",
            ],
            _said.Lines);
    }

    private void Basic() => BasicTransfer.Run(_device.Options.VendorId, _device.Options.ProductId, _said);

    private void Concurrent(int count, Transcript? said = null) =>
        ConcurrentTransfers.Run(_device.Options.VendorId, _device.Options.ProductId, count, said ?? _said);
}
