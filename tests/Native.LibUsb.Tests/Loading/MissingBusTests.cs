using Native.LibUsb.Tests.Versions;

namespace Native.LibUsb.Tests.Loading;

/// <summary>A system without a USB bus, such as most containers.</summary>
public sealed class MissingBusTests
{
    [NoBusFact]
    public void A_context_says_that_there_is_no_bus_and_how_a_container_gets_one()
    {
        using Watchdog watchdog = new(seconds: 120);
        FreshProcess.Run(bus: null, "MissingBus");
    }

    private sealed class NoBusFactAttribute : FactAttribute
    {
        public NoBusFactAttribute()
        {
            if (Directory.Exists("/dev/bus/usb"))
                Skip = "This machine has /dev/bus/usb.";
        }
    }
}
