namespace Native.LibUsb.Tests.Bus;

public sealed class CountingAllocatorPreloadTests
{
    /// <summary>
    /// Tests that xunit's process has loaded the counting allocator. If the allocator is not loaded, the other tests do not fail. They only write a note, and a
    /// developer can miss this note.
    /// </summary>
    [BusFact]
    public void The_allocator_counts_in_this_process() =>
        Assert.True(CountingAllocator.IsCounting, "The run settings of this project preload libnative-libusb-counting.so with the libraries of the virtual bus.");
}
