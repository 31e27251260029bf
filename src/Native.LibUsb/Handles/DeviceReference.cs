using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Owns one reference on a <c>libusb_device</c>.</summary>
internal sealed unsafe class DeviceReference : ContextChildHandle
{
    /// <summary>Takes a reference of its own.</summary>
    public DeviceReference(ContextHandle context, libusb_device* device)
        : base(context) => SetHandle((nint)libusb.libusb_ref_device(device));

    public libusb_device* Pointer => (libusb_device*)handle;

    protected override void ReleaseChild() => libusb.libusb_unref_device(Pointer);
}
