using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests timeouts of rings. With a null or infinite timeout, a call waits without a limit. With a timeout of zero, a call does not wait. The ring refuses every
/// negative timeout except <see cref="Timeout.InfiniteTimeSpan"/>.
/// </summary>
public sealed class RingTimeoutTests : RingTest
{
    private static readonly TimeSpan s_negative = TimeSpan.FromMilliseconds(-2);

    private readonly BulkLoopback _loopback = new();
    private readonly UsbDeviceHandle _handle;

    public RingTimeoutTests() => _handle = Open(_loopback);

    [BusFact]
    public async Task TryTake_waits_for_its_timeout()
    {
        await using UsbInputRing ring = InputRing(_handle, BulkLoopback.InAddress, new UsbRingOptions { TransferSize = 512, Transfers = 2 });
        ring.Start();
        Assert.False(ring.TryTake(out _));
        Assert.False(ring.TryTake(out _, TimeSpan.Zero));
        Assert.False(ring.TryTake(out _, TimeSpan.FromMicroseconds(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => ring.TryTake(out _, s_negative));
        foreach (TimeSpan? timeout in (TimeSpan?[])[null, Timeout.InfiniteTimeSpan, TimeSpan.MaxValue])
        {
            using var asked = new ManualResetEventSlim();
            Task<int> taking = Task.Run(() =>
            {
                asked.Set();
                bool any = ring.TryTake(out UsbInputBuffer buffer, timeout);
                using (buffer)
                {
                    Assert.Same(ring, buffer.Ring);
                    return any ? buffer.Length : -1;
                }
            });
            Assert.True(asked.Wait(Patience));
            _handle.At(BulkLoopback.OutAddress).Write(new byte[100], Patience);
            Assert.Equal(100, await taking.WaitAsync(Patience));
        }
    }

    [BusFact]
    public async Task TryAcquire_waits_for_its_timeout()
    {
        await using UsbOutputRing ring = OutputRing(_handle, BulkLoopback.OutAddress, new UsbRingOptions { TransferSize = 512, Transfers = 1, Spares = 0 });
        ring.Start();
        Assert.True(ring.TryAcquire(out UsbOutputBuffer held, null));
        Assert.Same(ring, held.Ring);
        Assert.False(ring.TryAcquire(out _));
        Assert.False(ring.TryAcquire(out _, TimeSpan.Zero));
        Assert.False(ring.TryAcquire(out _, TimeSpan.FromMicroseconds(1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => ring.TryAcquire(out _, s_negative));
        foreach (TimeSpan? timeout in (TimeSpan?[])[null, Timeout.InfiniteTimeSpan, TimeSpan.MaxValue])
        {
            using var asked = new ManualResetEventSlim();
            Task<UsbOutputBuffer> acquiring = Task.Run(() =>
            {
                asked.Set();
                Assert.True(ring.TryAcquire(out UsbOutputBuffer buffer, timeout));
                return buffer;
            });
            Assert.True(asked.Wait(Patience));
            held.Commit(1);
            held = await acquiring.WaitAsync(Patience);
        }

        held.Dispose();
    }
}
