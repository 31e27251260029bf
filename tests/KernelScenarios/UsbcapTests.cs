namespace Native.LibUsb.Tests.Kernel;

/// <summary>Tests the command-line program usbcap with a USB disk. usbcap runs in another process, and detaches the kernel's driver from the disk.</summary>
public sealed class UsbcapTests : StorageTest
{
    [ProgramFact(ProgramFactAttribute.Usbcap)]
    public void Usbcap_lists_the_devices()
    {
        string port = Disk.Device.PortPath.ToString();
        string[] lines = Usbcap.Run("list").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string disk = Assert.Single(lines, line => line.Contains("46f4:0001", StringComparison.Ordinal));
        Assert.Contains(port, disk, StringComparison.Ordinal);
        Assert.Contains("QEMU USB HARDDRIVE", disk, StringComparison.Ordinal);
        using UsbDeviceList devices = Context.GetDevices();
        Assert.Equal(devices.Count, lines.Length);
    }

    /// <summary>Tests that usbcap captures data for which this test has sent the command to the disk.</summary>
    [ProgramFact(ProgramFactAttribute.Usbcap)]
    public void Usbcap_captures_the_data_of_the_disk()
    {
        string file = Path.GetTempFileName();
        string endpoint;
        using (UsbDeviceHandle handle = Disk.Device.Open())
        {
            handle.DetachKernelDriver(0);
            handle.ClaimInterface(0);
            var storage = new BulkOnlyStorage(handle);
            storage.MakeReady();
            storage.SendCommand(Scsi.Read(0, Half / BulkOnlyStorage.BlockSize), Half, isIn: true);
            endpoint = $"{storage.In:x2}";
        }

        try
        {
            Usbcap.Run("capture", "--vendor", "46f4", "--product", "0001", "--endpoint", endpoint, "--bytes", $"{Half}",
                "--output", file, "--force", "--quiet");
            AssertBytes(DiskPattern.Make(0, Half), File.ReadAllBytes(file));
        }
        finally
        {
            File.Delete(file);
        }

        using UsbDeviceHandle after = Disk.Device.Open();
        after.ClaimInterface(0);
        new BulkOnlyStorage(after).StartAnew(); // usbcap has requested more data, and has read the status
    }
}
