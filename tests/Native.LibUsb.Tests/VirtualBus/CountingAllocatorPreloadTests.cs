namespace Native.LibUsb.Tests.Bus;

public sealed class CountingAllocatorPreloadTests
{
    /// <summary>Tests that the counting allocator is preloaded under xunit. Scenarios without it only write a note, which would go unnoticed here.</summary>
    [BusFact]
    public void The_allocator_counts_in_this_process() =>
        Assert.True(CountingAllocator.IsCounting, "The run settings of this project preload libnative-libusb-counting.so with the libraries of the virtual bus.");
}
