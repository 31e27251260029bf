namespace Native.LibUsb.Tests.Streaming;

/// <summary>
/// Tests the code for processors without SSE. The test starts a process in which the runtime does not use SSE. With Native AOT, such a process is impossible,
/// because the compiler decides whether a program uses SSE.
/// </summary>
public sealed class PacketScanWithoutSseTests
{
    [Fact]
    public void The_scan_agrees_with_a_loop_without_SSE()
    {
        using Watchdog watchdog = new(seconds: 120);
        FreshProcess.Run(bus: null, nameof(PacketScanTests.ScanWithoutSse), environment: ("DOTNET_EnableHWIntrinsic", "0"));
    }
}
