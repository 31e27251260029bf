namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests the code that replaces SSE on other processors, in a process whose runtime may not use SSE. Native AOT decides when it compiles.</summary>
public sealed class PacketScanWithoutSseTests
{
    [Fact]
    public void The_scan_agrees_with_a_loop_without_SSE()
    {
        using Watchdog watchdog = new(seconds: 120);
        FreshProcess.Run(bus: null, nameof(PacketScanTests.ScanWithoutSse), environment: ("DOTNET_EnableHWIntrinsic", "0"));
    }
}
