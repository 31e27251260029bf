using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Lifetimes;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests a ring that is started again as soon as it has no transfers in flight.</summary>
public sealed class RingRestartTests : RingTest
{
    private const int Transfers = 8;

    // While a second thread stops the ring, the device completes the transfers. All transfers may therefore end before the second thread has cancelled them.
    [BusFact]
    public void A_stop_cancels_nothing_of_the_next_run_and_does_not_wait_for_it()
    {
        var device = new LifetimeDevice();
        using UsbDeviceHandle handle = Open(device);
        using UsbInputRing ring = InputRing(handle, LifetimeDevice.BulkAddress, new UsbRingOptions { TransferSize = LifetimeDevice.PacketLength, Transfers = Transfers });
        VirtualEndpoint endpoint = device.Endpoint(LifetimeDevice.BulkAddress);
        ring.Start(static _ => { });
        for (int round = 0; round < Rounds.Of(1000); round++)
        {
            Assert.True(endpoint.WaitForPending(Transfers, Patience));
            Task ended = ring.Completion;
            Task stopping = Task.Run(ring.StopAsync);
            while (!ended.IsCompleted)
                device.CompleteAll();
            long unlinked = endpoint.Unlinked; // must not increase, because no transfer is in flight
            ring.Start(static _ => { });
            Assert.True(stopping.Wait(Patience), "The stop waits for a run that it did not stop.");
            Assert.True(endpoint.WaitForPending(Transfers, Patience));
            Assert.Equal(unlinked, endpoint.Unlinked);
            Assert.True(ring.IsRunning);
        }
    }
}
