using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;
using Native.LibUsb.Tests.Streaming;

namespace Native.LibUsb.Tests.Loading;

/// <summary>
/// Tests that a program can unload a plug-in after the plug-in has used the library. libusb must then have no pointer to a function of the plug-in.
/// </summary>
public sealed class UnloadingTests
{
    private const int Rounds = 10;

    [BusFact]
    public void A_load_context_that_used_everything_is_collected_and_the_next_one_logs()
    {
        using Watchdog watchdog = new(seconds: 120);
        using VirtualBus bus = TestBus.Create();
        bus.Attach(new BulkLoopback());
        for (int round = 0; round < Rounds; round++)
        {
            WeakReference loadContext = UseAndUnload(dispose: round % 2 == 0);
            CollectUntilGone(loadContext);
            LogInTheDefaultContext();
        }
    }

    // libusb has one log handler per process. Each copy of the library replaces this handler.
    [BusFact]
    public void Unloading_leaves_the_log_handler_that_another_copy_has_set()
    {
        using Watchdog watchdog = new(seconds: 120);
        using VirtualBus bus = TestBus.Create();
        bus.Attach(new BulkLoopback());
        int lines = 0;
        WeakReference loadContext = UseAndUnload(dispose: true, beforeUnload: () => UsbLibrary.SetLogHandler((_, _) => lines++));
        try
        {
            CollectUntilGone(loadContext);
            using var context = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug });
            lines = 0;
            context.GetDevices().Dispose();
            Assert.NotEqual(0, lines);
        }
        finally
        {
            UsbLibrary.SetLogHandler(null);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference UseAndUnload(bool dispose, Action? beforeUnload = null)
    {
        var loadContext = new PlugInContext();
        Assembly copy = loadContext.LoadFromAssemblyName(typeof(UnloadingTests).Assembly.GetName());
        MethodInfo twin = copy.GetType(typeof(UnloadingTests).FullName!, throwOnError: true)!.GetMethod(nameof(UseEverything), BindingFlags.Static | BindingFlags.NonPublic)!;
        Assert.NotSame(typeof(UnloadingTests).Assembly, twin.DeclaringType!.Assembly);
        twin.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [dispose], null);
        beforeUnload?.Invoke();
        loadContext.Unload();
        return new WeakReference(loadContext);
    }

    private static void UseEverything(bool dispose)
    {
        int lines = 0;
        UsbLibrary.SetLogHandler((_, _) => Interlocked.Increment(ref lines)); // the plug-in never removes the handler
        var context = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug });
        var second = new UsbContext();
        context.SetLogHandler((_, _) => Interlocked.Increment(ref lines));
        context.SetPollFdNotifiers(_ => { }, _ => { });
        UsbHotplugRegistration registration = context.RegisterHotplug(told => told.Device.Dispose());
        UsbDevice device = context.FindDevice(0x1209, 0x0011)!;
        UsbDeviceHandle handle = device.Open();
        UsbInterface claim = handle.ClaimInterface(0);
        UsbEndpointDescriptor endpoint = RingTest.Endpoint(handle, BulkLoopback.InAddress);
        using (context.StartEventThread())
        {
            UsbTransfer transfer = handle.CreateTransfer();
            using var ended = new ManualResetEventSlim();
            transfer.SetBulk(BulkLoopback.OutAddress, 64, _ => ended.Set());
            transfer.Submit();
            Assert.True(ended.Wait(TimeSpan.FromSeconds(30)));
            using var read = new ManualResetEventSlim();
            using UsbInputRing ring = handle.At(endpoint.Address).CreateInputRing(new UsbRingOptions { TransferSize = 512, Transfers = 2 });
            ring.Start(_ => read.Set());
            Assert.True(read.Wait(TimeSpan.FromSeconds(30)));
        }

        Assert.NotEqual(0, lines);
        if (!dispose)
            return; // the objects are left to the collector
        registration.Dispose();
        claim.Dispose();
        handle.Dispose();
        device.Dispose();
        context.Dispose(); // the first context of this copy, while another context is open
        second.Dispose();
    }

    private static void LogInTheDefaultContext()
    {
        using var context = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug });
        int lines = 0;
        context.SetLogHandler((_, _) => lines++);
        context.GetDevices().Dispose();
        Assert.NotEqual(0, lines);
    }

    private static void CollectUntilGone(WeakReference loadContext) => Assert.True(
        SpinWait.SpinUntil(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return !loadContext.IsAlive;
            },
            TimeSpan.FromSeconds(30)),
        "The load context was not collected.");

    private sealed class PlugInContext() : AssemblyLoadContext("plug-in", isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName assemblyName) =>
            assemblyName.Name is "Native.LibUsb" or "Native.LibUsb.Tests"
                ? LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll"))
                : null;
    }
}
