
namespace Native.LibUsb.Tests.Bus;

/// <summary>A process that would not see the devices of its own bus.</summary>
public sealed class WithoutPreloadTests
{
    [BusFact]
    public void A_bus_that_its_process_does_not_see_is_refused()
    {
        using Watchdog watchdog = new(seconds: 120);
        FreshProcess.Run(bus: null, "BusWithoutPreload");
    }
}
