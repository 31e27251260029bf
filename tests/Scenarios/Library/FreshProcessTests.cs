using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Devices;

namespace Native.LibUsb.Tests.Library;

/// <summary>Tests libusb's process-wide state, and errors that would crash a process. Each test starts a new process.</summary>
public sealed class FreshProcessTests
{
    [PreloadOnly(KernelLimits.Permission)]
    [BusFact]
    public void At_the_start_nothing_is_loaded_and_nothing_is_logged()
    {
        using Watchdog watchdog = new(seconds: 120);
        using VirtualBus bus = TestBus.Create();
        bus.Attach(new BulkLoopback());
        bus.Attach(new InterruptSource { DenyAccess = true });
        FreshProcess.Run(bus, "Defaults");
    }

    [BusFact]
    public void The_log_level_of_the_environment_wins()
    {
        using Watchdog watchdog = new(seconds: 120);
        using VirtualBus bus = TestBus.Create();
        FreshProcess.Run(bus, "LogLevelOfTheEnvironment", environment: ("LIBUSB_DEBUG", "4"));
    }

    [BusFact]
    public void Without_device_discovery_old_versions_never_find_devices_again_and_report_that()
    {
        using Watchdog watchdog = new(seconds: 120);
        using VirtualBus bus = TestBus.Create();
        FreshProcess.Run(bus, "NoDeviceDiscovery", [Node(bus)]);
    }

    [BusFact]
    public void A_file_that_is_closed_with_a_transfer_in_flight_is_an_error_and_no_hang()
    {
        using Watchdog watchdog = new(seconds: 120);
        using VirtualBus bus = TestBus.Create();
        FreshProcess.Run(bus, "FileClosedInFlight", [Node(bus)]);
    }

    // MALLOC_PERTURB_ makes the allocator fill freed memory, so a use of freed memory crashes the process.
    [BusFact]
    public async Task The_first_context_may_be_closed_while_libusb_logs_through_it()
    {
        using Watchdog watchdog = new(seconds: 120);
        using VirtualBus bus = TestBus.Create();
        await RunUntilReady(
            ready => FreshProcess.Run(bus, "FirstContextIsClosedWhileItLogs", [ready], ("MALLOC_PERTURB_", "165")), () => bus.Attach(new BulkLoopback()));
    }

    // Versions of libusb before 1.0.27 have a defect. If a program activates an alternate setting of an unplugged device, libusb unlocks a mutex that it has
    // not locked. When the program later closes the handle, libusb aborts the process.
    [BusTheory]
    [InlineData(UnplugScenarios.Library)]
    [InlineData(UnplugScenarios.Program)]
    [InlineData(UnplugScenarios.Removed)]
    [InlineData(UnplugScenarios.Raw)]
    public async Task A_setting_of_an_unplugged_device_is_an_error_and_the_handle_can_be_closed(string notifiers)
    {
        using Watchdog watchdog = new(seconds: 120);
        using VirtualBus bus = TestBus.Create();
        var device = new BulkLoopback();
        bus.Attach(device);
        await RunUntilReady(ready => FreshProcess.Run(bus, "SettingAfterUnplug", [ready, notifiers]), () => bus.Detach(device));
    }

    /// <summary>Runs a process, and calls <paramref name="act"/> as soon as the process has created a file.</summary>
    private static async Task RunUntilReady(Action<string> run, Action act)
    {
        string ready = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            Task running = Task.Run(() => run(ready));
            while (!File.Exists(ready) && !running.IsCompleted)
                await Task.Yield();
            act();
            await running;
        }
        finally
        {
            File.Delete(ready);
        }
    }

    private static string Node(VirtualBus bus)
    {
        var loopback = new BulkLoopback();
        bus.Attach(loopback);
        return $"/dev/bus/usb/{loopback.BusNumber:D3}/{loopback.DeviceNumber:D3}";
    }
}
