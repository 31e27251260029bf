using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Represents one reference to a <c>libusb_device</c>.</summary>
internal sealed unsafe class DeviceReference : ContextChildHandle
{
    /// <summary>Initializes a new reference to the device.</summary>
    public DeviceReference(ContextHandle context, libusb_device* device)
        : base(context) => SetHandle((nint)libusb.libusb_ref_device(device));

    /// <summary>Gets or sets whether the reference was released because the list of the device was disposed.</summary>
    public bool WentWithList { get; set; }

    public override ObjectDisposedException DisposedFailure() => WentWithList
        ? new("Native.LibUsb.UsbDevice", "Its list was disposed: keep the device with UsbDeviceList.Take or UsbDevice.AddReference.")
        : new("Native.LibUsb.UsbDevice");

    public libusb_device* Pointer => (libusb_device*)handle;

    protected override void ReleaseChild() => libusb.libusb_unref_device(Pointer);
}
