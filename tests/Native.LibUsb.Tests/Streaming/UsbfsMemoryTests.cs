namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests that the library reads the memory limit that all USB transfers share. Also tests that the library recommends a sufficient limit.</summary>
public sealed class UsbfsMemoryTests
{
    [Theory]
    [InlineData("16\n", 16L << 20)]
    [InlineData("1", 1L << 20)]
    [InlineData("4294967295\n", 4_294_967_295L << 20)]
    [InlineData("0\n", null)]
    [InlineData("", null)]
    [InlineData("-1\n", null)]
    [InlineData("sixteen", null)]
    public void The_limit_is_read_in_mebibytes_and_zero_is_none(string text, long? expected) => Assert.Equal(expected, UsbfsMemory.Parse(text));

    [Fact]
    public void A_limit_that_cannot_be_read_is_none() => Assert.Null(UsbfsMemory.ReadLimit("/nonexistent/usbfs_memory_mb"));

    [Theory]
    [InlineData(1L << 20, 1)]
    [InlineData((1L << 20) + 1, 2)]
    [InlineData(96L << 20, 96)] // 256 ms at SuperSpeed's line rate, the data alone
    public void The_way_to_raise_it_names_a_number_that_is_enough(long bytes, int megabytes)
    {
        Assert.Equal(megabytes, UsbfsMemory.MegabytesFor(bytes));
        Assert.Contains($"write {megabytes} or more to {UsbfsMemory.File}", UsbfsMemory.HowToRaise(bytes), StringComparison.Ordinal);
        Assert.Contains($"usbcore.usbfs_memory_mb={megabytes}.", UsbfsMemory.HowToRaise(bytes), StringComparison.Ordinal);
    }
}
