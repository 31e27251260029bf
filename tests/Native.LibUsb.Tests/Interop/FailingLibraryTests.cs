using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Interop;

/// <summary>What the facade does when libusb fails where the real one hardly ever does: a library of our own fails there.</summary>
public sealed class FailingLibraryTests
{
    // One device, which can be opened, on a system where memory is gone as soon as something is asked for.
    private const string Functions = """
        #include <stdlib.h>
        static char context, device, handle;
        int libusb_init(void **c) { *c = &context; return 0; }
        void libusb_exit(void *c) { if (c != &context) abort(); }
        int libusb_has_capability(uint32_t c) { (void)c; return 1; }
        void libusb_interrupt_event_handler(void *c) { (void)c; }
        ptrdiff_t libusb_get_device_list(void *c, void ***list)
        {
            (void)c;
            *list = calloc(2, sizeof **list);
            (*list)[0] = &device;
            return 1;
        }
        void libusb_free_device_list(void **list, int unref) { (void)unref; free(list); }
        void *libusb_ref_device(void *d) { return d; }
        void libusb_unref_device(void *d) { (void)d; }
        int libusb_get_device_descriptor(void *d, unsigned char *descriptor) { (void)d; for (int i = 0; i < 18; i++) descriptor[i] = 0; return 0; }
        uint8_t libusb_get_device_address(void *d) { (void)d; return 2; }
        uint8_t libusb_get_bus_number(void *d) { (void)d; return 1; }
        uint8_t libusb_get_port_number(void *d) { (void)d; return 1; }
        int libusb_get_device_speed(void *d) { (void)d; return 3; }
        int libusb_get_port_numbers(void *d, uint8_t *ports, int length) { (void)d; (void)length; ports[0] = 1; return 1; }
        int libusb_open(void *d, void **h) { (void)d; *h = &handle; return 0; }
        void libusb_close(void *h) { if (h != &handle) abort(); }
        void *libusb_get_device(void *h) { (void)h; return &device; }
        void *libusb_alloc_transfer(int packets) { (void)packets; return NULL; }
        void libusb_free_transfer(void *t) { (void)t; abort(); }
        int libusb_hotplug_register_callback(void *c, int e, int f, int v, int p, int k, void *cb, void *u, int *h)
        {
            (void)c; (void)e; (void)f; (void)v; (void)p; (void)k; (void)cb; (void)u; (void)h;
            return -11;
        }
        """;

    [Fact]
    public void A_transfer_that_libusb_cannot_allocate_is_an_error_and_leaves_nothing() => Run(LoadAndCreateTransfer);

    [Fact]
    public void Hotplug_that_libusb_refuses_is_an_error() => Run(LoadAndRegisterHotplug);

    private static void Run(Action<string> scenario)
    {
        using var fake = new FakeLibrary(new Version(1, 0, 26), Functions);
        Isolated.Run(scenario, fake.Path);
    }

    private static void LoadAndCreateTransfer(string path)
    {
        LibUsbLibrary.SetPath(path); // before what uses it is compiled
        CreateTransfer();
        GC.Collect();
        GC.WaitForPendingFinalizers(); // a transfer without a native one has nothing to free
    }

    private static void CreateTransfer()
    {
        using var context = new UsbContext();
        using UsbDeviceList devices = context.GetDevices();
        using UsbDeviceHandle handle = devices[0].Open();
        for (int i = 0; i < 3; i++)
            Assert.Equal(UsbError.NoMemory, Assert.Throws<UsbException>(() => handle.CreateTransfer(isoPackets: i)).Error);
    }

    private static void LoadAndRegisterHotplug(string path)
    {
        LibUsbLibrary.SetPath(path);
        RegisterHotplug();
    }

    private static void RegisterHotplug()
    {
        using var context = new UsbContext();
        for (int i = 0; i < 2; i++) // what failed is not remembered as done
        {
            Assert.Equal(UsbError.NoMemory, Assert.Throws<UsbException>(() => context.RegisterHotplug(_ => Assert.Fail("told"))).Error);
            Assert.Equal(UsbError.NoMemory, Assert.Throws<UsbException>(() => context.WatchDevicesAsync()).Error);
        }
    }
}
