using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Usbcap;

/// <summary>
/// Tests failures that occur before usbcap receives data. For each failure, usbcap writes one clear line, returns a specific exit code, and leaves no file.
/// </summary>
public sealed class BadInputTests : UsbcapTest
{
    [BusTheory]
    [InlineData("capture", "--output")]
    [InlineData("capture -o x --endpoint 0xfff", "'0xfff'", "--endpoint")]
    [InlineData("capture -o x --endpoint 0x80", "'0x80'")]
    [InlineData("capture -o x --vendor 12345", "'12345'", "--vendor")]
    [InlineData("capture -o x --port 1.2", "'1.2'", "--port")]
    [InlineData("capture -o x --duration 0s", "'0s'", "--duration")]
    [InlineData("capture -o x --duration soon", "'soon'")]
    [InlineData("capture -o x --bytes -5", "'-5'", "--bytes")]
    [InlineData("capture -o x --bytes 99999999999GB", "--bytes")]
    [InlineData("capture -o x --in-flight 0", "'0'", "--in-flight")]
    [InlineData("capture -o x --realtime 100", "'100'", "--realtime")]
    [InlineData("capture -o x --format wav", "'wav'", "--format")]
    [InlineData("capture -o x --type control", "'control'", "--type")]
    [InlineData("capture -o x --no-such-option", "--no-such-option")]
    [InlineData("record")]
    [InlineData("")]
    public void Wrong_arguments(string arguments, params string[] parts)
    {
        AttachCamera();
        Run(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Failed(2, [.. parts, "--help"]);
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [BusTheory]
    [InlineData("--transfer-size 512", "--transfer-size", "isochronous")]
    public void Options_that_do_not_go_with_an_isochronous_endpoint(string option, params string[] parts)
    {
        AttachCamera();
        Run(["capture", "-o", "x", .. option.Split(' ')]).Failed(2, parts);
    }

    [BusTheory]
    [InlineData("--packets-per-transfer 8", "--packets-per-transfer", "bulk")]
    [InlineData("--packet-size 512", "--packet-size", "bulk")]
    [InlineData("--transfer-size 1000", "1000", "512")]
    public void Options_that_do_not_go_with_a_bulk_endpoint(string option, params string[] parts)
    {
        Bus.Attach(new BulkSourceSink());
        Run(["capture", "-o", "x", .. option.Split(' ')]).Failed(2, parts);
    }

    [BusTheory]
    [InlineData("--vendor 1234", "vendor 1234")]
    [InlineData("--product 0xabcd", "product abcd")]
    [InlineData("--serial CAM2", "'CAM2'")]
    [InlineData("--port 1-7.1", "1-7.1")]
    public void An_unknown_device(string selection, params string[] parts)
    {
        AttachCamera(new IsoSourceOptions { SerialNumber = "CAM1" });
        Run(["capture", "-o", "x", .. selection.Split(' ')]).Failed(3, parts);
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [BusFact]
    public void No_device_at_all()
    {
        _ = Bus;
        Run("capture", "-o", "x").Failed(3, "no device");
    }

    [BusFact]
    public void Two_devices_that_fit_are_named()
    {
        AttachCamera();
        AttachCamera();
        Run("capture", "-o", "x", "--vendor", "1209").Failed(3, "1209:0010 at 1-1", "1209:0010 at 1-2");
    }

    [BusTheory]
    [InlineData("--endpoint 0x85", "no endpoint 0x85", "0x81 (isochronous IN)")]
    [InlineData("--interface 3", "no interface 3", "has 0")]
    [InlineData("--alternate 9", "no alternate setting 9", "0, 1, 2, 3, 4")]
    [InlineData("--alternate 0", "no endpoint", "0x81 (isochronous IN) in interface 0 alternate setting 1/2/3/4")]
    [InlineData("--endpoint 0x81 --type bulk", "0x81 (isochronous IN) is not bulk")]
    [InlineData("--type interrupt", "no interrupt IN endpoint")]
    public void An_endpoint_that_is_not_there(string selection, params string[] parts)
    {
        AttachCamera();
        Run(["capture", "-o", "x", .. selection.Split(' ')]).Failed(4, parts);
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [BusFact]
    public void An_endpoint_that_sends_to_the_device()
    {
        Bus.Attach(new BulkLoopback());
        Run("capture", "-o", "x", "--endpoint", "0x02").Failed(4, "0x02 (bulk OUT)", "0x82 (bulk IN)");
    }

    [BusFact]
    public void Several_endpoints_that_fit_are_named()
    {
        Bus.Attach(new VirtualDevice(new DeviceDescription
        {
            Configurations =
            [
                new ConfigurationDescription(new InterfaceDescription(0,
                    new AlternateSetting(new EndpointDescription(0x81, EndpointKind.Bulk, 512), new EndpointDescription(0x82, EndpointKind.Interrupt, 8)))),
            ],
        }));
        Run("capture", "-o", "x").Failed(4, "0x81 (bulk IN)", "0x82 (interrupt IN)", "--endpoint");
    }

    [BusFact]
    public void An_interface_that_a_kernel_driver_has()
    {
        AttachCamera(new IsoSourceOptions { KernelDriver = "uvcvideo", Paced = false });
        Run("capture", "-o", "x").Failed(5, "interface 0", "kernel driver", "--detach-kernel-driver");
        Assert.Empty(Directory.GetFiles(Folder));

        Run("capture", "-o", "x", "--packets", "64", "--detach-kernel-driver").Succeeded();
        Assert.Equal(64, CheckPattern(Read("x"), 3072).Packets);
    }

    [BusFact]
    public void An_interface_that_another_program_has()
    {
        IsoSource camera = AttachCamera(new IsoSourceOptions());
        using UsbcapProcess other = Start("capture", "-o", "other");
        Assert.True(camera.Source.WaitForCompleted(1, Patience));
        Run("capture", "-o", "x").Failed(5, "interface 0", "another program");
        other.Signal("INT");
        other.Wait().Succeeded();
    }

    [BusFact]
    public void No_permission()
    {
        AttachCamera().DenyAccess = true;
        Run("capture", "-o", "x").Failed(6, "no permission", "SUBSYSTEM==\"usb\", ATTR{idVendor}==\"1209\", ATTR{idProduct}==\"0010\"", "/etc/udev/rules.d/");
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [BusFact]
    public void No_permission_to_read_the_requested_serial_number()
    {
        AttachCamera(new IsoSourceOptions { SerialNumber = "CAM1" }).DenyAccess = true;
        Run("capture", "-o", "x", "--serial", "CAM1").Failed(6, "no permission", "SUBSYSTEM==\"usb\"");
    }

    [BusFact]
    public void Real_time_priority_that_is_not_permitted()
    {
        AttachCamera();
        // Root may use real-time priority in spite of the limit, so the shell drops this capability.
        RunShell("ulimit -r 0; if [ \"$(id -u)\" = 0 ]; then drop='setpriv --bounding-set=-sys_nice'; fi; exec $drop \"$0\" capture -o x --realtime 50")
            .Failed(6, "real-time priority 50", "RLIMIT_RTPRIO", "CAP_SYS_NICE");
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [BusFact]
    public void More_transfers_than_the_kernel_allows()
    {
        BusOptions = new VirtualBusOptions { UsbfsMemoryMegabytes = 1 };
        AttachCamera(new IsoSourceOptions());
        Run("capture", "-o", "x", "--in-flight", "64", "--json").Failed(7, "usbfs_memory_mb", "1 MiB", "--in-flight");
        Assert.False(File.Exists(PathOf("x")));
    }

    [BusFact]
    public void A_transfer_that_the_kernel_refuses()
    {
        BusOptions = new VirtualBusOptions { UsbfsMemoryMegabytes = 1 };
        AttachCamera().Endpoint(IsoSource.EndpointAddress).Hold(); // a transfer that completes during the submissions would free memory for the others
        // Each transfer consists of 32 URBs. The URBs need slightly more kernel memory than usbcap has calculated.
        Run("capture", "-o", "x", "--in-flight", "15", "--packets-per-transfer", "4096", "--packet-size", "1")
            .Failed(7, "the kernel refused transfer ", " of 15 with 4096 bytes each", "1 MiB", "--in-flight", "usbfs_memory_mb");
        Assert.False(File.Exists(PathOf("x")));
    }

    // Each attempt to submit the transfer fails at its last URB, and libusb reports each attempt as a failed transfer. No other transfer is in flight.
    [BusFact]
    public void A_transfer_of_which_the_kernel_refuses_the_last_part()
    {
        BusOptions = new VirtualBusOptions { UsbfsMemoryMegabytes = 1 };
        AttachCamera().Endpoint(IsoSource.EndpointAddress).Hold();
        Run("capture", "-o", "x", "--in-flight", "1", "--packets-per-transfer", "4096", "--packet-size", "239")
            .Failed(7, "the kernel refused transfer 1 of 1 with 978944 bytes each", "1 MiB", "usbfs_memory_mb");
        Assert.False(File.Exists(PathOf("x")));
    }

    [BusFact]
    public void By_default_the_limit_of_the_kernel_is_kept()
    {
        BusOptions = new VirtualBusOptions { UsbfsMemoryMegabytes = 1 };
        AttachCamera();
        Run("capture", "-o", "x", "--packets", "256").Succeeded();
        CheckPattern(Read("x"), 3072);
    }
}
