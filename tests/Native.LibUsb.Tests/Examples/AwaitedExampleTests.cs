using Examples;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Examples;

/// <summary>Tests, in this process, the example that awaits writes and reads.</summary>
public sealed class AwaitedExampleTests : BusTest
{
    private const string First = "Writing to endpoint 0x02, reading from endpoint 0x82";

    private readonly BulkLoopback _device = new();
    private readonly Transcript _said = new();

    public AwaitedExampleTests() => Bus.Attach(_device);

    [BusTheory]
    [InlineData(3)]
    [InlineData(0)]
    public async Task Each_question_has_its_answer_and_the_last_read_is_cancelled(int count)
    {
        await RunAsync(count, CancellationToken.None);
        Assert.Equal([First, .. Enumerable.Range(1, count).Select(static i => $"Answer: question {i}"), "Reading was cancelled after 0 bytes"], _said.Lines);
        Assert.Empty(_device.Endpoint(BulkLoopback.InAddress).Pending);
    }

    [BusFact]
    public async Task A_stall_throws_an_exception()
    {
        _device.Endpoint(BulkLoopback.InAddress).FailNext(UrbStatus.Stall);
        UsbException failure = await Assert.ThrowsAsync<UsbException>(() => RunAsync(1, CancellationToken.None));
        Assert.Equal(UsbError.Pipe, failure.Error);
        Assert.Equal([First], _said.Lines);
    }

    [BusFact]
    public async Task The_callers_token_ends_the_program()
    {
        _device.Endpoint(BulkLoopback.InAddress).Hold();
        using var stop = new CancellationTokenSource();
        Task run = RunAsync(1, stop.Token);
        Assert.True(_device.Endpoint(BulkLoopback.InAddress).WaitForPending(1, Patience));
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(Patience));
        Assert.Equal([First], _said.Lines);
        Assert.Empty(_device.Endpoint(BulkLoopback.InAddress).Pending);
    }

    private Task RunAsync(int count, CancellationToken stop) => AwaitedTransfers.RunAsync(_device.Options.VendorId, _device.Options.ProductId, count, _said, stop);
}
