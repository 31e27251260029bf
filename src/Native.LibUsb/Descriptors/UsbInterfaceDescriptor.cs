using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>Represents one alternate setting of an interface: a set of endpoints. One alternate setting is active at a time.</summary>
public sealed unsafe class UsbInterfaceDescriptor
{
    private readonly byte[] _extra;

    internal UsbInterfaceDescriptor(libusb_interface_descriptor* native, UsbSpeed speed)
    {
        InterfaceNumber = native->bInterfaceNumber;
        Number = native->bAlternateSetting;
        Class = native->bInterfaceClass;
        SubClass = native->bInterfaceSubClass;
        Protocol = native->bInterfaceProtocol;
        StringIndex = native->iInterface;
        _extra = ExtraBytes.Copy(native->extra, native->extra_length);
        // If a descriptor between the interface descriptor and its first endpoint descriptor has an invalid length, libusb reports the number of endpoints, but
        // the pointer to the endpoints is null.
        var endpoints = new UsbEndpointDescriptor[native->endpoint is null ? 0 : native->bNumEndpoints];
        for (int i = 0; i < endpoints.Length; i++)
            endpoints[i] = new UsbEndpointDescriptor(native->endpoint + i, speed);
        Endpoints = Array.AsReadOnly(endpoints);
    }

    /// <summary>Gets <c>bInterfaceNumber</c>.</summary>
    public byte InterfaceNumber { get; }

    /// <summary>Gets <c>bAlternateSetting</c>.</summary>
    public byte Number { get; }

    /// <summary>Gets <c>bInterfaceClass</c>.</summary>
    public byte Class { get; }

    /// <summary>Gets <c>bInterfaceSubClass</c>.</summary>
    public byte SubClass { get; }

    /// <summary>Gets <c>bInterfaceProtocol</c>.</summary>
    public byte Protocol { get; }

    /// <summary>Gets <c>iInterface</c>: the index of the string; 0 is none.</summary>
    public byte StringIndex { get; }

    /// <summary>Gets the endpoints, in the order of the descriptors. The list does not contain endpoint 0.</summary>
    public IReadOnlyList<UsbEndpointDescriptor> Endpoints { get; }

    /// <summary>
    /// Gets the bytes of the class-specific and vendor-specific descriptors that follow the interface descriptor. <see cref="UsbExtraDescriptors"/> splits the
    /// bytes into descriptors.
    /// </summary>
    public ReadOnlySpan<byte> Extra => _extra;

    /// <summary>Finds an endpoint.</summary>
    /// <param name="address">The endpoint's address, with the direction bit.</param>
    /// <param name="endpoint">The endpoint; null if this alternate setting does not have it.</param>
    /// <returns>Whether this alternate setting has the endpoint.</returns>
    public bool TryFindEndpoint(byte address, [NotNullWhen(true)] out UsbEndpointDescriptor? endpoint)
    {
        foreach (UsbEndpointDescriptor candidate in Endpoints)
        {
            if (candidate.Address == address)
            {
                endpoint = candidate;
                return true;
            }
        }

        endpoint = null;
        return false;
    }

    /// <summary>
    /// Returns a text such as <c>interface 0, alternate setting 1 (class 0x08 0x06 0x50, 2 endpoints)</c>. The hexadecimal numbers are the class, the subclass
    /// and the protocol.
    /// </summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"interface {InterfaceNumber}, alternate setting {Number} (class 0x{Class:x2} 0x{SubClass:x2} 0x{Protocol:x2}, {DescriptorText.Count(Endpoints.Count, "endpoint")})");
}
