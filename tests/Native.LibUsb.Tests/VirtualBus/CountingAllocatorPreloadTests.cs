namespace Native.LibUsb.Tests.Bus;

public sealed class CountingAllocatorPreloadTests
{
    /// <summary>The scenarios go on without the counting allocator, and say so. Under xunit it must be there: nobody would read that.</summary>
    [BusFact]
    public void It_counts_in_this_process() =>
        Assert.True(CountingAllocator.IsCounting, "The run settings of this project preload libnative-libusb-counting.so with the libraries of the virtual bus.");
}
