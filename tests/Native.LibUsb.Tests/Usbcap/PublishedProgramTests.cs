using System.Diagnostics;

namespace Native.LibUsb.Tests.Usbcap;

/// <summary>Tests the published executable.</summary>
public sealed class PublishedProgramTests
{
    [Fact]
    public void The_executable_is_small() => Assert.InRange(new FileInfo(UsbcapProcess.Executable).Length, 1, 4_000_000 - 1);

    [Fact]
    public void The_executable_needs_no_libusb()
    {
        using Process ldd = Process.Start(new ProcessStartInfo("ldd", [UsbcapProcess.Executable]) { RedirectStandardOutput = true, Environment = { ["LD_PRELOAD"] = "" } })!;
        string libraries = ldd.StandardOutput.ReadToEnd();
        ldd.WaitForExit();
        Assert.Contains("libc.so", libraries);
        Assert.DoesNotContain("libusb", libraries);
    }
}
