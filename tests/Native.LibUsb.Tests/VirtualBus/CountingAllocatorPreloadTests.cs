namespace Native.LibUsb.Tests.Bus;

public sealed class CountingAllocatorPreloadTests
{
    /// <summary>
    /// Tests that xunit's process has loaded the counting allocator. Without the allocator, a scenario only writes a note, which a developer can miss.
    /// </summary>
    [BusFact]
    public void The_allocator_counts_in_this_process() =>
        Assert.True(CountingAllocator.IsCounting, "The run settings of this project preload libnative-libusb-counting.so with the libraries of the virtual bus.");
}
