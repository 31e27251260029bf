using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests handlers of output rings. <see cref="UsbOutputRing.Start(UsbOutputCallback)"/> calls these handlers on the thread that starts the ring, and the
/// handlers close objects during these calls.
/// </summary>
public sealed class RingStartTests : RingTest
{
    private const int Transfers = 4;

    public enum Fill
    {
        First,
        Second,
        Last,
    }

    public enum Closes
    {
        Ring,
        Interface,
        Handle,
        Context,
    }

    [BusTheory]
    [AllCombinations]
    public void A_handler_that_the_start_calls_may_close_everything(Closes what, Fill at)
    {
        var loopback = new BulkLoopback();
        Bus.Attach(loopback);
        using UsbDevice device = Context.FindDevice(loopback.Description.VendorId, loopback.Description.ProductId)!;
        UsbDeviceHandle handle = device.Open();
        UsbInterface claimed = handle.ClaimInterface(0);
        UsbOutputRing ring = claimed.GetEndpoint(BulkLoopback.OutAddress).CreateOutputRing(new UsbRingOptions { TransferSize = 512, Transfers = Transfers });
        IDisposable closed = what switch { Closes.Ring => ring, Closes.Interface => claimed, Closes.Handle => handle, _ => Context };
        int calls = 0, call = at switch { Fill.First => 1, Fill.Second => 2, _ => Transfers };
        try
        {
            ring.Start(buffer =>
            {
                buffer.Commit(512);
                if (Interlocked.Increment(ref calls) == call)
                    closed.Dispose();
            });
        }
        catch (Exception exception) when (exception is UsbException { Error: UsbError.Closed } or ObjectDisposedException)
        {
            // Start detects that the ring was closed.
        }

        Assert.InRange(calls, call, int.MaxValue);
        handle.Dispose();
        Assert.False(ring.IsRunning);
        Assert.True(ring.Completion.IsCompleted);
    }
}
