using System.Diagnostics.CodeAnalysis;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents the binary object store (BOS) of a device. A binary object store contains the capabilities of the device. The object is a copy in managed memory,
/// so it stays valid after the device is disposed. <see cref="UsbDeviceHandle.GetBosDescriptor"/> reads the binary object store from the device.
/// </summary>
/// <remarks>
/// If a capability has an invalid length, libusb ignores this capability and all capabilities after it. <see cref="Capabilities"/> can then have fewer elements
/// than the device announces.
/// </remarks>
public sealed unsafe class UsbBosDescriptor
{
    private UsbBosDescriptor(libusb_bos_descriptor* native)
    {
        TotalLength = native->wTotalLength;
        var capabilities = new List<UsbDeviceCapability>(native->bNumDeviceCaps);
        for (int i = 0; i < native->bNumDeviceCaps; i++)
        {
            libusb_bos_dev_capability_descriptor* capability = native->dev_capability[i];
            if (capability is not null && capability->bLength >= UsbDeviceCapability.HeaderSize)
                capabilities.Add(new UsbDeviceCapability(new ReadOnlySpan<byte>(capability, capability->bLength)));
        }

        Capabilities = capabilities.AsReadOnly();
    }

    /// <summary>Gets <c>wTotalLength</c>: the length, in bytes, that the device announces for the BOS descriptor and all its capabilities together.</summary>
    public ushort TotalLength { get; }

    /// <summary>Gets the capabilities, in the order of the descriptors.</summary>
    public IReadOnlyList<UsbDeviceCapability> Capabilities { get; }

    /// <summary>Finds a capability by its type.</summary>
    /// <param name="type">The type.</param>
    /// <param name="capability">The first capability of that type; null if there is none.</param>
    /// <returns>Whether the device has a capability of that type.</returns>
    public bool TryFind(UsbCapabilityType type, [NotNullWhen(true)] out UsbDeviceCapability? capability)
    {
        foreach (UsbDeviceCapability candidate in Capabilities)
        {
            if (candidate.Type == type)
            {
                capability = candidate;
                return true;
            }
        }

        capability = null;
        return false;
    }

    /// <summary>Returns a text such as <c>binary object store (Usb20Extension, SuperSpeed)</c>, with the types of the capabilities.</summary>
    public override string ToString() => $"binary object store ({string.Join(", ", Capabilities.Select(static capability => capability.TypeText))})";

    /// <summary>Copies libusb's descriptors and frees them.</summary>
    internal static UsbBosDescriptor Take(libusb_bos_descriptor* native)
    {
        try
        {
            return new UsbBosDescriptor(native);
        }
        finally
        {
            libusb.libusb_free_bos_descriptor(native);
        }
    }
}
