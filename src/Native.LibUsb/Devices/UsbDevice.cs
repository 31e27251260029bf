using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Represents a device on a bus. It is a reference, not an open device: nothing is sent to it and no permission is needed until
/// <see cref="Open()"/>. Its properties stay readable after <see cref="Dispose"/>, except the configurations.
/// </summary>
public sealed unsafe partial class UsbDevice : IDisposable, IEquatable<UsbDevice>
{
    private readonly DeviceReference _native;
    private readonly LinkedListNode<WeakReference<UsbDevice>>? _registration;

    // It came as an open file. libusb would open its node anyway where it may, and forbids it: the device is in no list.
    private readonly bool _isWrapped;

    internal UsbDevice(UsbContext context, libusb_device* device, bool isWrapped = false)
    {
        Context = context;
        _isWrapped = isWrapped;
        _native = new DeviceReference(context.NativeHandle, device);
        libusb_device_descriptor descriptor;
        _ = libusb.libusb_get_device_descriptor(device, &descriptor); // reads what libusb holds already: it cannot fail
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

    /// <summary>Gets the context it was found by.</summary>
    public UsbContext Context { get; }

    /// <summary>Gets the device descriptor.</summary>
    public UsbDeviceDescriptor Descriptor { get; }

    /// <summary>Gets <c>idVendor</c>.</summary>
    public ushort VendorId => Descriptor.VendorId;

    /// <summary>Gets <c>idProduct</c>.</summary>
    public ushort ProductId => Descriptor.ProductId;

    /// <summary>Gets the number of its bus.</summary>
    public byte BusNumber => PortPath.Bus;

    /// <summary>Gets its number on the bus, which changes each time it is plugged in.</summary>
    public byte Address { get; }

    /// <summary>Gets the port of its hub; 0 for a root hub, or when the operating system does not say.</summary>
    public byte PortNumber { get; }

    /// <summary>Gets the place where it is plugged in. Without ports for root hubs, and when the operating system does not say.</summary>
    public UsbPortPath PortPath { get; }

    /// <summary>Gets the speed it runs at.</summary>
    public UsbSpeed Speed { get; }

    internal DeviceReference NativeReference => _native;

    /// <summary>
    /// Gets the native device, for functions that the library does not offer. It is valid until this object is disposed; take a reference of your own to keep it.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    public libusb_device* DangerousGetDevice()
    {
        return _native.IsClosed ? throw _native.DisposedFailure() : _native.Pointer;
    }

    /// <summary>Opens it (<c>libusb_open</c>).</summary>
    /// <returns>A handle of its own each time; it keeps the device alive by itself.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.Access"/>: no permission, and the hint has the udev rule. <see cref="UsbError.NoDevice"/>: unplugged.
    /// <see cref="UsbError.NotSupported"/>: on Windows, it has no WinUSB driver; or it came as an open file (<see cref="UsbContext.WrapSystemDevice(nint)"/>).
    /// </exception>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
    /// <exception cref="ObjectDisposedException">The device or the context is disposed.</exception>
    public UsbDeviceHandle Open()
    {
        UsbError error = TryOpen(out UsbDeviceHandle? handle);
        return handle ?? throw OpenFailure(error);
    }

    /// <summary>Opens the device as <see cref="Open()"/> does, but returns libusb's answer instead of throwing it.</summary>
    /// <param name="handle">The open device; null when it was not opened.</param>
    /// <returns><see cref="UsbError.Success"/>, or why it was not opened.</returns>
    /// <exception cref="InvalidOperationException">Called from a callback of this context.</exception>
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

    /// <summary>Gets the hub it is plugged into (<c>libusb_get_parent</c>).</summary>
    /// <returns>The hub, to be disposed by the caller; null for a root hub, or when the operating system does not say.</returns>
    /// <exception cref="ObjectDisposedException">The device or the context is disposed.</exception>
    public UsbDevice? GetParent()
    {
        using var lease = new HandleLease(_native);
        // libusb's parents are valid while a device list lives, so one is made for the moment.
        using UsbDeviceList devices = Context.GetDevices();
        libusb_device* parent = libusb.libusb_get_parent(_native.Pointer);
        return parent is null ? null : new UsbDevice(Context, parent);
    }

    /// <summary>
    /// Gets <c>wMaxPacketSize</c> of an endpoint of the active configuration unchanged, in the first alternate setting that has the endpoint:
    /// bits 0 to 10 are bytes, and at high speed bits 11 and 12 are the additional packets of a microframe.
    /// </summary>
    /// <remarks>
    /// The value is what <c>libusb_get_max_packet_size</c> returns. It is read from the descriptors here, because libusb's function ends the process
    /// on malformed ones.
    /// </remarks>
    /// <param name="endpoint">The endpoint's address, with its direction bit.</param>
    /// <returns><c>wMaxPacketSize</c>.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: there is no such endpoint, or the device is not configured. Another error: see
    /// <see cref="GetActiveConfigurationDescriptor"/>.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="endpoint"/> is not an endpoint address.</exception>
    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    public int GetMaxPacketSize(byte endpoint) => FindFirstEndpoint(endpoint).RawMaxPacketSize;

    /// <summary>
    /// Gets the bytes that an isochronous endpoint moves in one service interval, in the first alternate setting that has the endpoint. That is
    /// often the smallest one: see <see cref="GetMaxAlternatePacketSize"/>.
    /// </summary>
    /// <remarks>
    /// The value is what <c>libusb_get_max_iso_packet_size</c> returns: for a bulk endpoint at SuperSpeed that is 0. It is read from the descriptors
    /// here, because libusb's function ends the process on malformed ones.
    /// </remarks>
    /// <param name="endpoint">The endpoint's address, with its direction bit.</param>
    /// <returns>Bytes.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: there is no such endpoint, or the device is not configured. Another error: see
    /// <see cref="GetActiveConfigurationDescriptor"/>.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="endpoint"/> is not an endpoint address.</exception>
    /// <exception cref="ObjectDisposedException">The device is disposed.</exception>
    public int GetMaxIsoPacketSize(byte endpoint) => FindFirstEndpoint(endpoint).MaxIsoPacketSize;

    /// <summary>
    /// Gets the bytes that an endpoint moves in one service interval, in one alternate setting
    /// (<see cref="UsbEndpointDescriptor.BytesPerInterval"/>).
    /// </summary>
    /// <remarks>
    /// It takes the place of <c>libusb_get_max_alt_packet_size</c> of libusb 1.0.27 and works with every version. libusb's function takes the
    /// position of an interface for its number, and returns 0 for a bulk endpoint at SuperSpeed.
    /// </remarks>
    /// <param name="interfaceNumber"><c>bInterfaceNumber</c>.</param>
    /// <param name="alternateSetting"><c>bAlternateSetting</c>.</param>
    /// <param name="endpoint">The endpoint's address, with its direction bit.</param>
    /// <returns>Bytes.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: there is no such setting or endpoint in the active configuration, or the device is not configured. Another
    /// error: see <see cref="GetActiveConfigurationDescriptor"/>.
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
    /// <see cref="UsbError.NotFound"/>: the device is not configured. <see cref="UsbError.IO"/>: libusb cannot read the descriptors, because they
    /// are malformed. Another error: the operating system does not say which configuration is active, for example because the device is unplugged.
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
    /// <param name="index">From 0 to <see cref="UsbDeviceDescriptor.ConfigurationCount"/> - 1: its position, not its <c>bConfigurationValue</c>.</param>
    /// <returns>A copy of the descriptors.</returns>
    /// <exception cref="UsbException">
    /// <see cref="UsbError.NotFound"/>: there is none at that position. <see cref="UsbError.IO"/>: libusb cannot read the descriptors, because they
    /// are malformed.
    /// </exception>
    /// <exception cref="ArgumentOutOfRangeException">The index is not one of 0 to 255.</exception>
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

    /// <summary>Returns another reference on the same device, which must be disposed separately (<c>libusb_ref_device</c>).</summary>
    /// <exception cref="ObjectDisposedException">The device or the context is disposed.</exception>
    public UsbDevice AddReference()
    {
        using var lease = new HandleLease(_native);
        return new UsbDevice(Context, _native.Pointer, _isWrapped);
    }

    /// <summary>Releases it (<c>libusb_unref_device</c>). Handles opened from it stay open. May be called more than once.</summary>
    /// <exception cref="InvalidOperationException">Called from a log handler.</exception>
    public void Dispose()
    {
        LogScope.ThrowIfInside();
        _native.Dispose();
        Context.Devices.Remove(_registration);
    }

    /// <summary>Releases the device because its list is disposed, which the exceptions of later calls name as the reason.</summary>
    internal void DisposeWithList()
    {
        if (!_native.IsClosed)
            _native.WentWithList = true;
        Dispose();
    }

    /// <summary>Returns whether both are the same device: same context, bus, address, vendor and product. A replugged device has another address.</summary>
    /// <param name="other">The other.</param>
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
