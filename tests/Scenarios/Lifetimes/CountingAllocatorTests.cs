using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests that the counting allocator detects a leak, and that libusb itself leaks no memory. A leak that another test finds is therefore a leak of
/// Native.LibUsb.
/// </summary>
public sealed unsafe class CountingAllocatorTests
{
    [BusFact]
    public void A_transfer_that_is_not_freed_is_counted()
    {
        if (!CountingAllocator.IsCounting)
            return; // CountingAllocator has written the reason to standard error
        CountingAllocator.Counts before = CountingAllocator.Read();
        libusb_transfer* transfer = libusb.libusb_alloc_transfer(3);
        CountingAllocator.Counts with = CountingAllocator.Read();
        Assert.Equal(before.LiveTransfers + 1, with.LiveTransfers);
        Assert.Equal(before.LiveBlocks + 1, with.LiveBlocks);
        Assert.True(with.LiveBytes - before.LiveBytes >= sizeof(libusb_transfer) + (3 * sizeof(libusb_iso_packet_descriptor)));
        Assert.ThrowsAny<Exception>(() => CountingAllocator.CheckNothingIsLeft(before));

        libusb.libusb_free_transfer(transfer);
        Assert.Equal(before with { TransfersAllocated = before.TransfersAllocated + 1, TransfersFreed = before.TransfersFreed + 1 }, CountingAllocator.Read());
        CountingAllocator.CheckNothingIsLeft(before);
    }

    [BusFact]
    public void A_context_that_is_not_exited_is_counted_and_libusb_keeps_nothing_for_the_next()
    {
        CountingAllocator.Counts before = CountingAllocator.Read();
        libusb_context* context;
        Assert.Equal(0, libusb.libusb_init(&context));
        Assert.True(CountingAllocator.Read().LiveBlocks > before.LiveBlocks || !CountingAllocator.IsCounting);
        libusb.libusb_exit(context);
        CountingAllocator.CheckNothingIsLeft(before);
    }
}
