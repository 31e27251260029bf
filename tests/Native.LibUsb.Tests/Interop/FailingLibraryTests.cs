namespace Native.LibUsb.Tests.Interop;

/// <summary>Tests the facade with fake libraries. Their functions fail in situations in which the real libusb rarely fails.</summary>
public sealed class FailingLibraryTests
{
    // This part of a fake library has one device, which a program can open.
    private const string OneDevice = """
        #include <stdlib.h>
        static char context, device, handle;
        int libusb_init(void **c) { *c = &context; return 0; }
        void libusb_exit(void *c) { if (c != &context) abort(); }
        int libusb_has_capability(uint32_t c) { (void)c; return 1; }
        void libusb_interrupt_event_handler(void *c) { (void)c; }
        void libusb_set_pollfd_notifiers(void *c, void *added, void *removed, void *u) { (void)c; (void)added; (void)removed; (void)u; }
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

        """;

    // This library cannot allocate transfers or hotplug callbacks.
    private const string NoMemory = """
        void *libusb_alloc_transfer(int packets) { (void)packets; return NULL; }
        void libusb_free_transfer(void *t) { (void)t; abort(); }
        int libusb_hotplug_register_callback(void *c, int e, int f, int v, int p, int k, void *cb, void *u, int *h)
        {
            (void)c; (void)e; (void)f; (void)v; (void)p; (void)k; (void)cb; (void)u; (void)h;
            return -11;
        }
        """;

    // This library supports only one transfer at a time. The first cancellation of a transfer has no effect, and the second cancellation ends the transfer.
    private const string FirstCancellationIsLost = """
        struct transfer
        {
            void *handle;
            uint8_t flags, endpoint, type;
            unsigned int timeout;
            int status, length, actual_length;
            void (*callback)(struct transfer *);
            void *user_data;
        };
        static char memory[256];
        static struct transfer *submitted;
        static int requests;
        void *libusb_alloc_transfer(int packets) { (void)packets; return memory; }
        void libusb_free_transfer(struct transfer *t) { if (t == submitted) abort(); }
        void libusb_transfer_set_stream_id(struct transfer *t, uint32_t id) { (void)t; (void)id; abort(); }
        int libusb_submit_transfer(struct transfer *t) { submitted = t; return 0; }
        int libusb_cancel_transfer(struct transfer *t) { if (t != submitted) abort(); requests++; return 0; }
        int libusb_handle_events_timeout_completed(void *c, void *tv, int *completed)
        {
            (void)c; (void)tv; (void)completed;
            if (submitted && requests >= 2)
            {
                struct transfer *t = submitted;
                submitted = NULL;
                t->status = 3;
                t->callback(t);
            }
            return 0;
        }
        """;

    // This library behaves as on a system without kernel drivers for USB interfaces, such as Windows.
    private const string NoKernelDrivers = """
        int libusb_set_auto_detach_kernel_driver(void *h, int enable) { (void)h; (void)enable; return -12; }
        """;

    [Fact]
    public void A_transfer_that_libusb_cannot_allocate_is_an_error_and_leaves_nothing() => Run(LoadAndCreateTransfer, NoMemory);

    [Fact]
    public void Hotplug_that_libusb_refuses_is_an_error() => Run(LoadAndRegisterHotplug, NoMemory);

    [Fact]
    public void A_handle_that_closes_cancels_again() => Run(LoadAndClose, FirstCancellationIsLost);

    [Fact]
    public void A_system_without_kernel_drivers_is_an_error_that_can_be_returned() => Run(LoadAndDetachAutomatically, NoKernelDrivers);

    private static void Run(Action<string> scenario, string functions)
    {
        using var watchdog = new Watchdog();
        using var fake = new FakeLibrary(new Version(1, 0, 26), OneDevice + functions);
        Isolated.Run(scenario, fake.Path);
    }

    private static void LoadAndCreateTransfer(string path)
    {
        UsbLibrary.SetPath(path); // must precede the compilation of methods that use the library
        CreateTransfer();
        GC.Collect();
        GC.WaitForPendingFinalizers(); // a transfer without a native transfer frees nothing
    }

    private static void CreateTransfer()
    {
        using var context = new UsbContext();
        using UsbDeviceList devices = context.GetDevices();
        using UsbDeviceHandle handle = devices[0].Open();
        for (int i = 0; i < 3; i++)
            Assert.Equal(UsbError.NoMemory, Assert.Throws<UsbException>(() => handle.CreateTransfer(isoPackets: i)).Error);
    }

    private static void LoadAndClose(string path)
    {
        UsbLibrary.SetPath(path);
        CloseInFlight();
    }

    private static void CloseInFlight()
    {
        using var context = new UsbContext();
        using UsbDeviceList devices = context.GetDevices();
        UsbDeviceHandle handle = devices[0].Open();
        var statuses = new List<UsbTransferStatus>();
        UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetBulk(0x81, 8, ended => statuses.Add(ended.Status));
        transfer.Submit();
        handle.Dispose();
        Assert.Equal([UsbTransferStatus.Canceled], statuses);
        Assert.True(transfer.IsDisposed);
    }

    private static void LoadAndDetachAutomatically(string path)
    {
        UsbLibrary.SetPath(path);
        DetachAutomatically();
    }

    private static void DetachAutomatically()
    {
        using var context = new UsbContext();
        using UsbDeviceList devices = context.GetDevices();
        using UsbDeviceHandle handle = devices[0].Open();
        Assert.Equal(UsbError.NotSupported, handle.TrySetAutoDetachKernelDriver(true));
        Assert.Equal(UsbError.NotSupported, Assert.Throws<UsbException>(() => handle.SetAutoDetachKernelDriver(true)).Error);
    }

    private static void LoadAndRegisterHotplug(string path)
    {
        UsbLibrary.SetPath(path);
        RegisterHotplug();
    }

    private static void RegisterHotplug()
    {
        using var context = new UsbContext();
        for (int i = 0; i < 2; i++) // the facade does not record a failed step as done
        {
            Assert.Equal(UsbError.NoMemory, Assert.Throws<UsbException>(() => context.RegisterHotplug(_ => Assert.Fail("The callback was called."))).Error);
            Assert.Equal(UsbError.NoMemory, Assert.Throws<UsbException>(() => context.WatchDevicesAsync()).Error);
        }
    }
}
