using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents a device on a bus. The object is only a reference to the device. Until <see cref="Open()"/> is called, nothing is sent to the device, and the
/// program needs no permission for the device. After <see cref="Dispose"/>, the program can still read the properties, but can no longer read the
/// configurations.
/// </summary>
public sealed unsafe partial class UsbDevice : IDisposable, IEquatable<UsbDevice>
{
    private readonly DeviceReference _native;
    private readonly LinkedListNode<WeakReference<UsbDevice>>? _registration;

    // This field is true if the program passed the device as an open file. Such a device is in no device list. According to libusb's documentation, a program
    // must not open such a device, even if the program has the permission for the device's node.
    private readonly bool _isWrapped;

    internal UsbDevice(UsbContext context, libusb_device* device, bool isWrapped = false)
    {
        Context = context;
        _isWrapped = isWrapped;
        _native = new DeviceReference(context.NativeHandle, device);
        libusb_device_descriptor descriptor;
        _ = libusb.libusb_get_device_descriptor(device, &descriptor); // libusb already holds the descriptor, so this cannot fail
        Descriptor = new UsbDeviceDescriptor(descriptor);
        Address = libusb.libusb_get_device_address(device);
        PortNumber = libusb.libusb_get_port_number(device);
        Speed = (UsbSpeed)libusb.libusb_get_device_speed(device);
        byte* ports = stackalloc byte[UsbPortPath.MaxDepth];
        int depth = libusb.libusb_get_port_numbers(device, ports, UsbPortPath.MaxDepth);
        PortPath = new UsbPortPath(libusb.libusb_get_bus_number(device), new ReadOnlySpan<byte>(ports, Math.Max(depth, 0)));

        if (!context.Devices.TryAdd(this, out _registration))
        {
            _native.Dispose();
            throw new ObjectDisposedException(nameof(UsbContext));
        }
    }

    /// <summary>Gets the context that found the device.</summary>
    public UsbContext Context { get; }

    /// <summary>Gets the device descriptor.</summary>
    public UsbDeviceDescriptor Descriptor { get; }

    /// <summary>Gets <c>idVendor</c>.</summary>
    public ushort VendorId => Descriptor.VendorId;

    /// <summary>Gets <c>idProduct</c>.</summary>
    public ushort ProductId => Descriptor.ProductId;

    /// <summary>Gets the number of the bus.</summary>
    public byte BusNumber => PortPath.Bus;

    /// <summary>Gets the device's address on the bus, which changes each time the device is plugged in.</summary>
    public byte Address { get; }

    /// <summary>
    /// Gets the number of the hub port that the device is plugged into. The number is 0 if the device is a root hub, or if the operating system does not report
    /// the port.
    /// </summary>
    public byte PortNumber { get; }

    /// <summary>
    /// Gets the bus and the ports through which the device is connected. For a root hub, or if the operating system does not report the ports, the path
    /// contains only the bus.
    /// </summary>
    public UsbPortPath PortPath { get; }

    /// <summary>Gets the speed of the connection.</summary>
    public UsbSpeed Speed { get; }

    internal DeviceReference NativeReference => _native;

    /// <summary>
    /// Gets the native device, for functions of libusb that the facade does not offer. The pointer is valid until this object is disposed. A program that uses
    /// the native device longer must call <c>libusb_ref_device</c> before this object is disposed.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    public libusb_device* DangerousGetDevice()
    {
        return _native.IsClosed ? throw _native.DisposedFailure() : _native.Pointer;
    }

    /// <summary>Opens the device (<c>libusb_open</c>).</summary>
    /// <returns>A new handle for each call. The handle keeps the device alive, even if this object is disposed.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Access"/>: the program has no permission for the device; the exception's hint contains a udev rule. <see cref="UsbError.NoDevice"/>:
    /// the device was unplugged. <see cref="UsbError.NotSupported"/>: the device has no WinUSB driver (on Windows), or the program passed the device as an open
    /// file (<see cref="UsbContext.WrapSystemDevice(nint)"/>).
    /// </exception>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The device or the context is disposed.</exception>
    public UsbDeviceHandle Open()
    {
        UsbError error = TryOpen(out UsbDeviceHandle? handle);
        return handle ?? throw OpenFailure(error);
    }

    /// <summary>Opens the device as <see cref="Open()"/> does, but returns the error instead of throwing it.</summary>
    /// <param name="handle">The open device; null if the device was not opened.</param>
    /// <returns><see cref="UsbError.Success"/>, or the error.</returns>
    /// <exception cref="InvalidOperationException">The method is called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The device or the context is disposed.</exception>
    public UsbError TryOpen(out UsbDeviceHandle? handle)
    {
        handle = null;
        CallbackScope.ThrowIfInside(Context.NativeHandle, "open a device");
        using var lease = new HandleLease(_native);
        if (_isWrapped)
            return UsbError.NotSupported;
        var opened = new OpenHandle(Context.NativeHandle);
        libusb_device_handle* native;
        int result = libusb.libusb_open(_native.Pointer, &native);
        if (result != 0)
        {
            opened.Abandon();
            return (UsbError)result;
        }

        opened.Own(native);
        handle = new UsbDeviceHandle(Context, opened);
        Context.RunDeferred();
        return UsbError.Success;
    }

    /// <summary>Gets the hub that the device is plugged into (<c>libusb_get_parent</c>).</summary>
    /// <returns>
    /// The hub, which the caller must dispose. The result is null if the device is a root hub, or if the operating system does not report the hub.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The device or the context is disposed.</exception>
    public UsbDevice? GetParent()
    {
        using var lease = new HandleLease(_native);
        // The parent that libusb returns is valid only while a device list exists, so this method creates one.
        using UsbDeviceList devices = Context.GetDevices();
        libusb_device* parent = libusb.libusb_get_parent(_native.Pointer);
        return parent is null ? null : new UsbDevice(Context, parent);
    }

    /// <summary>
    /// Gets the raw <c>wMaxPacketSize</c> of an endpoint in the active configuration, from the first alternate setting that has the endpoint. Bits 0 to 10
    /// are the packet size in bytes. At high speed, bits 11 and 12 are the number of additional packets in a microframe.
    /// </summary>
    /// <remarks>
    /// The value is the same as the result of <c>libusb_get_max_packet_size</c>. The library itself reads the value from the descriptors, because libusb's
    /// function ends the process if the descriptors are malformed.
    /// </remarks>
    /// <param name="endpoint">The endpoint's address, including the direction bit.</param>
    /// <returns><c>wMaxPacketSize</c>.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: there is no such endpoint, or the device is not configured. For other errors, see
    /// <see cref="GetActiveConfigurationDescriptor"/>.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="endpoint"/> is not an endpoint address.</exception>
    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    public int GetMaxPacketSize(byte endpoint) => FindFirstEndpoint(endpoint).RawMaxPacketSize;

    /// <summary>
    /// Gets the number of bytes that an isochronous endpoint can transfer in one service interval. The number applies to the first alternate setting that has
    /// the endpoint. Later alternate settings often allow more bytes: see <see cref="GetMaxAlternatePacketSize"/>.
    /// </summary>
    /// <remarks>
    /// The value is the same as the result of <c>libusb_get_max_iso_packet_size</c>. For a bulk endpoint at SuperSpeed, the value is 0. The library itself
    /// reads the value from the descriptors, because libusb's function ends the process if the descriptors are malformed.
    /// </remarks>
    /// <param name="endpoint">The endpoint's address, including the direction bit.</param>
    /// <returns>The number of bytes.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: there is no such endpoint, or the device is not configured. For other errors, see
    /// <see cref="GetActiveConfigurationDescriptor"/>.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="endpoint"/> is not an endpoint address.</exception>
    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    public int GetMaxIsoPacketSize(byte endpoint) => FindFirstEndpoint(endpoint).MaxIsoPacketSize;

    /// <summary>
    /// Gets the number of bytes that an endpoint of an alternate setting can transfer in one service interval
    /// (<see cref="UsbEndpointDescriptor.BytesPerInterval"/>).
    /// </summary>
    /// <remarks>
    /// This method replaces <c>libusb_get_max_alt_packet_size</c> of libusb 1.0.27, and works with every version of libusb. Unlike this method, libusb's
    /// function treats the number of an interface as the position of the interface in the descriptors. In addition, libusb's function returns 0 for a bulk
    /// endpoint at SuperSpeed.
    /// </remarks>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>.</param>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>.</param>
    /// <param name="endpoint">The endpoint's address, including the direction bit.</param>
    /// <returns>The number of bytes.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the active configuration has no such setting or endpoint, or the device is not configured. For other errors, see
    /// <see cref="GetActiveConfigurationDescriptor"/>.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="endpoint"/> is not an endpoint address.</exception>
    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    public int GetMaxAlternatePacketSize(int interfaceNumber, int alternateSetting, byte endpoint)
    {
        UsbEndpointAddress.Check(endpoint, nameof(endpoint));
        if (!GetActiveConfigurationDescriptor().TryFindSetting(interfaceNumber, alternateSetting, out UsbInterfaceDescriptor? setting)
            || !setting.TryFindEndpoint(endpoint, out UsbEndpointDescriptor? found))
        {
            throw new UsbException(UsbError.NotFound, $"find endpoint 0x{endpoint:x2} in alternate setting {alternateSetting} of interface {interfaceNumber}");
        }

        return found.BytesPerInterval;
    }

    /// <summary>Gets the active configuration (<c>libusb_get_active_config_descriptor</c>). Nothing is sent to the device.</summary>
    /// <returns>A copy of the descriptors.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: the device is not configured. <see cref="UsbError.IO"/>: libusb cannot read the descriptors, because they are
    /// malformed. Other errors: the operating system does not report the active configuration, for example because the device was unplugged.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    public UsbConfigurationDescriptor GetActiveConfigurationDescriptor()
    {
        using var lease = new HandleLease(_native);
        libusb_config_descriptor* native;
        UsbException.ThrowIfError(libusb.libusb_get_active_config_descriptor(_native.Pointer, &native), $"read the active configuration of {this}");
        return UsbConfigurationDescriptor.Take(native, Speed);
    }

    /// <summary>Gets one of the device's configurations (<c>libusb_get_config_descriptor</c>). On Linux and macOS nothing is sent to the device.</summary>
    /// <param name="index">
    /// The position of the configuration, from 0 to <see cref="UsbDeviceDescriptor.ConfigurationCount"/> - 1. The position can differ from
    /// <c>bConfigurationValue</c>.
    /// </param>
    /// <returns>A copy of the descriptors.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: there is no configuration at that position. <see cref="UsbError.IO"/>: libusb cannot read the descriptors, because
    /// they are malformed.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The index is not in the range 0 to 255.</exception>
    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    public UsbConfigurationDescriptor GetConfigurationDescriptor(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, byte.MaxValue);
        using var lease = new HandleLease(_native);
        libusb_config_descriptor* native;
        UsbException.ThrowIfError(libusb.libusb_get_config_descriptor(_native.Pointer, (byte)index, &native), $"read configuration {index} of {this}");
        return UsbConfigurationDescriptor.Take(native, Speed);
    }

    /// <summary>Returns another reference to the same device (<c>libusb_ref_device</c>). The caller must dispose each reference separately.</summary>
    /// <exception cref="ObjectDisposedException">The device or the context is disposed.</exception>
    public UsbDevice AddReference()
    {
        using var lease = new HandleLease(_native);
        return new UsbDevice(Context, _native.Pointer, _isWrapped);
    }

    /// <summary>
    /// Releases the reference to the device (<c>libusb_unref_device</c>). Open handles of the device stay open. The method may be called more than once.
    /// </summary>
    /// <exception cref="InvalidOperationException">The method is called from a log handler.</exception>
    public void Dispose()
    {
        LogScope.ThrowIfInside();
        _native.Dispose();
        Context.Devices.Remove(_registration);
    }

    /// <summary>Releases the device because its list is disposed. The exceptions of later calls report that reason.</summary>
    internal void DisposeWithList()
    {
        if (!_native.IsClosed)
            _native.WentWithList = true;
        Dispose();
    }

    /// <summary>
    /// Determines whether both objects refer to the same device. The objects must have the same context, bus, address, vendor and product. A device that is
    /// plugged in again gets a new address.
    /// </summary>
    /// <param name="other">The device to compare with.</param>
    public bool Equals([NotNullWhen(true)] UsbDevice? other) =>
        other is not null && Context == other.Context && BusNumber == other.BusNumber && Address == other.Address
        && VendorId == other.VendorId && ProductId == other.ProductId;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as UsbDevice);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Context, BusNumber, Address, VendorId, ProductId);

    /// <summary>Returns a text such as <c>Bus 001 Device 004: ID 1234:5678</c>.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"Bus {BusNumber:D3} Device {Address:D3}: ID {VendorId:x4}:{ProductId:x4}");

    private UsbEndpointDescriptor FindFirstEndpoint(byte endpoint)
    {
        UsbEndpointAddress.Check(endpoint, nameof(endpoint));
        return GetActiveConfigurationDescriptor().TryFindFirstEndpoint(endpoint, out UsbEndpointDescriptor? found)
            ? found
            : throw new UsbException(UsbError.NotFound, $"find endpoint 0x{endpoint:x2} of {this}");
    }

    private UsbException OpenFailure(UsbError error) =>
        new(error, $"open device {this}", hint: _isWrapped
            ? "It came as an open file: use the handle that was made of it."
            : ErrorHint.ForOpen(error, BusNumber, Address, VendorId, ProductId));
}
