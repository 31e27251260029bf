namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests a process that was started without the preload library of the bus.</summary>
public sealed class WithoutPreloadTests
{
    [BusTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_process_that_makes_a_bus_sees_it(bool isLibUsbLoaded)
    {
        using Watchdog watchdog = new(seconds: 120);
        FreshProcess.Run(bus: null, "BusWithoutPreload", [isLibUsbLoaded.ToString()]);
    }
}
