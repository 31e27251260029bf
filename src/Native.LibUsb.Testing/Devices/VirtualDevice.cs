using System.Buffers.Binary;
using System.Diagnostics;

namespace Native.LibUsb.Testing;

/// <summary>Represents a USB device that exists only in software. The object contains the device's descriptors and endpoints, and answers control
/// requests.</summary>
/// <remarks>
/// Models derive from this class. A test can also use this class directly and complete the URBs of the endpoints itself. The class uses the descriptors to
/// answer the standard requests. A device can be attached to a <see cref="VirtualBus"/>, detached, and attached again.
/// </remarks>
public partial class VirtualDevice
{
    private readonly Dictionary<byte, VirtualEndpoint> _endpoints = [];
    private readonly StringTable _strings;
    private readonly byte[] _deviceDescriptor;
    private readonly byte[][] _configurations;
    private readonly byte[]? _bos;
    private readonly byte[] _alternates = new byte[32];
    private readonly List<Connection> _connections = [];
    private VirtualDevice? _successor;
    private FaultPlan? _faults;
    private int _waiting;
    private bool _isEnumerated;

    /// <summary>Initializes a new instance of the <see cref="VirtualDevice"/> class.</summary>
    /// <exception cref="ArgumentException">The descriptors are inconsistent. The message names the error.</exception>
    public VirtualDevice(DeviceDescription description)
    {
        ArgumentNullException.ThrowIfNull(description);
        description.Check();
        Description = description;
        _strings = new StringTable(description.Languages, description.RawStrings);
        _deviceDescriptor = description.WriteDevice(_strings);
        _configurations = [.. description.Configurations.Select(c => c.Write(description.Speed, _strings))];
        _bos = description.WriteBos();
        Host = new HostState(this);
        ControlEndpoint = new RequestEndpoint { Device = this };
        _endpoints[0] = ControlEndpoint;
        foreach (EndpointDescription endpoint in description.Configurations.SelectMany(c => c.Interfaces).SelectMany(i => i.AlternateSettings).SelectMany(s => s.Endpoints))
            if (!_endpoints.ContainsKey(endpoint.Address))
                Add(new VirtualEndpoint(endpoint.Address));
        Select(description.Configurations[0]);
    }

    /// <summary>Gets the descriptors.</summary>
    public DeviceDescription Description { get; }

    /// <summary>Gets the lock that guards the device and all its endpoints. Every callback of a model runs with this lock held. The lock is
    /// reentrant.</summary>
    public object SyncRoot { get; } = new();

    /// <summary>Gets endpoint 0.</summary>
    public VirtualEndpoint ControlEndpoint { get; }

    /// <summary>Gets whether the device is attached to a bus.</summary>
    public bool IsAttached { get; internal set; }

    /// <summary>Gets the number of the device's bus, or 0 if the device is not attached.</summary>
    public int BusNumber { get; internal set; }

    /// <summary>Gets the address of the device on its bus, or 0 if the device is not attached.</summary>
    public int DeviceNumber { get; internal set; }

    /// <summary>Gets the device's name in sysfs, such as <c>1-2.3</c>: the bus number and the port numbers. Null if the device is not attached.</summary>
    public string? PortPath { get; internal set; }

    /// <summary>
    /// Gets or sets whether opening the device node for writing fails with EACCES, as it does for a user without permission. A bus on
    /// <see cref="VirtualBusHost.Kernel"/> refuses to attach a device for which the property is set.
    /// </summary>
    public bool DenyAccess { get; set; }

    /// <summary>
    /// Gets or sets how many of the next attempts to open the device node for writing fail with EACCES. A test can use this property to simulate a device that
    /// was just plugged in, before udev has set the permissions of its node.
    /// </summary>
    public int DenyNextOpens { get; set; }

    /// <summary>Gets how often programs have opened the device node for writing. Programs that only read descriptors or sysfs are not counted. On
    /// <see cref="VirtualBusHost.Kernel"/>, the value never increases.</summary>
    public int Opens { get; private set; }

    /// <summary>Gets how often opening the device node for writing was refused.</summary>
    public int DeniedOpens { get; private set; }

    /// <summary>Gets or sets the plan of the faults that the device injects. Null if the device injects no faults.</summary>
    /// <exception cref="InvalidOperationException">The device is attached, or the plan belongs to another device.</exception>
    public FaultPlan? Faults
    {
        get => _faults;
        set
        {
            if (IsAttached)
                throw new InvalidOperationException("A plan is set before the device is attached; rules can be added to it later.");
            if (value is { Device: { } other } && other != this)
                throw new InvalidOperationException("Another device has this plan.");
            if (_faults is { } before)
                before.Device = null;
            if (value is not null)
                value.Device = this;
            _faults = value;
        }
    }

    /// <summary>Gets the value of the active configuration, or 0 if the device is not configured.</summary>
    public byte Configuration { get; private set; }

    /// <summary>Gets or sets the handler of class and vendor requests, for tests that do not derive a class. The handler returns true if it has completed the
    /// URB or will complete the URB later. If the handler returns false, the device stalls the request.</summary>
    public Func<VirtualUrb, bool>? ControlHandler { get; set; }

    /// <summary>
    /// Gets how often the host has reset the device. USB/IP does not transmit the reset signal. On <see cref="VirtualBusHost.Kernel"/>, the device therefore
    /// detects a reset by the requests that the host sends right after a reset.
    /// </summary>
    public int Resets { get; private set; }

    /// <summary>Gets or sets the device that replaces this device at the host's next reset, for example after a program has loaded firmware. Null if this
    /// device remains after a reset.</summary>
    /// <remarks>
    /// When a reset replaces this device, the reset fails with ENODEV (<c>libusb_reset_device</c> returns <c>LIBUSB_ERROR_NOT_FOUND</c>), and this device is
    /// removed. A kernel behaves in the same way if the descriptors of a device have changed after a reset. Shortly after the removal, the successor appears at
    /// the same port with another address. The system sends one event for the removal and one event for the arrival. If the successor is already on a bus when
    /// it should appear, this device is removed without a replacement. The property is not available on <see cref="VirtualBusHost.Kernel"/>, because USB/IP
    /// does not transmit a reset, and the kernel would continue to use this device.
    /// </remarks>
    /// <exception cref="ArgumentException">The value is this device.</exception>
    /// <exception cref="PlatformNotSupportedException">This device is on a bus of the kernel.</exception>
    public VirtualDevice? Successor
    {
        get => _successor;
        set
        {
            if (value == this)
                throw new ArgumentException("A device does not succeed itself: leave the successor null.", nameof(value));
            lock (SyncRoot)
            {
                if (value is not null && Bus?.HidesResets == true)
                    throw new PlatformNotSupportedException(NoSuccessor);
                _successor = value;
            }
        }
    }

    internal const string NoSuccessor = "USB/IP has no message for a reset, so no other device can appear on the kernel's bus after a reset.";

    internal HostState Host { get; }

    /// <summary>
    /// Gets whether a fault has unplugged the device. After such a fault, the value stays true until the bus has removed the device. While the value is true,
    /// the device does not answer.
    /// </summary>
    internal bool IsPluggedOut { get; private set; }

    internal VirtualBus? Bus { get; set; }

    internal TestbedDevice? Sysfs { get; set; }

    internal ConfigurationDescription? ActiveConfiguration { get; private set; }

    internal ReadOnlySpan<byte> DeviceDescriptorBytes => _deviceDescriptor;

    /// <summary>Gets the bytes of the configuration that is active when the device is attached.</summary>
    internal ReadOnlySpan<byte> FirstConfigurationBytes => _configurations[0];

    /// <summary>Gets the device descriptor and all configurations, as sysfs and the device node return them.</summary>
    internal byte[] AllDescriptors => [.. _deviceDescriptor, .. _configurations.SelectMany(c => c)];

    /// <summary>Returns the endpoint that has the given address. In the address of an IN endpoint, bit 7 is set.</summary>
    /// <exception cref="KeyNotFoundException">The endpoint is in no setting of the device.</exception>
    public VirtualEndpoint Endpoint(byte address) =>
        _endpoints.TryGetValue(address, out VirtualEndpoint? found) ? found : throw new KeyNotFoundException($"The device has no endpoint 0x{address:x2}.");

    /// <summary>Returns the number of the active alternate setting of an interface.</summary>
    public int AlternateOf(byte interfaceNumber) => _alternates[interfaceNumber];

    /// <summary>Returns the text that sysfs shows for a string of the device descriptor. Null if sysfs shows no text.</summary>
    internal string? SystemText(byte index) => _strings.SystemText(index);

    /// <summary>Adds an endpoint with its own behaviour, in place of the endpoint that has the same address.</summary>
    public void Add(VirtualEndpoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.Device = this;
        _endpoints[endpoint.Address] = endpoint;
        if (ActiveConfiguration is { } configuration)
            Select(configuration);
    }

    /// <summary>Removes the device from its bus, as if it were unplugged. The method does nothing if the device is not attached.</summary>
    /// <remarks>If a model calls the method from a callback, another thread unplugs the device shortly afterwards.</remarks>
    public void Unplug()
    {
        if (Bus is not { } bus)
            return;
        if (Monitor.IsEntered(SyncRoot))
            // The thread that detaches the device must take the bus's lock before the device's lock.
            ThreadPool.UnsafeQueueUserWorkItem(static pair => pair.bus.Detach(pair.device), (bus, device: this), preferLocal: false);
        else
            bus.Detach(this);
    }

    /// <summary>Answers a class or vendor request, or a standard request that the base class does not implement.</summary>
    /// <returns>True if the method has completed the URB, or if the model completes the URB later. If the method returns false, the device stalls the
    /// request.</returns>
    protected virtual bool OnControlRequest(VirtualUrb urb) => ControlHandler?.Invoke(urb) ?? false;

    /// <summary>
    /// Handles the selection of an alternate setting. The method is also called for each interface after the device has been configured or reset.
    /// </summary>
    protected virtual void OnAlternateSelected(byte interfaceNumber, int setting)
    {
    }

    /// <summary>Handles the attachment to a bus.</summary>
    protected internal virtual void OnAttached()
    {
    }

    /// <summary>Handles the removal from the bus.</summary>
    protected internal virtual void OnDetached()
    {
    }

    /// <summary>Waits until a condition on the device's state is true. The method evaluates the condition whenever a URB arrives or completes, and whenever a
    /// program opens or closes the device node. The lock is held during each evaluation.</summary>
    /// <returns>False if the timeout has expired.</returns>
    public bool WaitUntil(Func<bool> condition, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(condition);
        long end = Stopwatch.GetTimestamp() + (long)(timeout.TotalSeconds * Stopwatch.Frequency);
        lock (SyncRoot)
        {
            _waiting++;
            try
            {
                while (!condition())
                {
                    TimeSpan rest = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), end);
                    if (rest <= TimeSpan.Zero)
                        return false;
                    Monitor.Wait(SyncRoot, rest);
                }
                return true;
            }
            finally
            {
                _waiting--;
            }
        }
    }

    /// <summary>Wakes the threads in <see cref="WaitUntil"/> after a change. The caller holds the lock.</summary>
    internal void Announce()
    {
        if (_waiting > 0)
            Monitor.PulseAll(SyncRoot);
    }

    internal void Complete(VirtualUrb urb, UrbStatus status)
    {
        lock (SyncRoot)
        {
            if (!urb.IsInFlight || urb.IsAnswered)
                throw new InvalidOperationException("The URB has been completed before.");
            if (urb.Endpoint.Alter(urb, ref status))
                Finish(urb, status);
        }
    }

    /// <summary>Completes a URB and returns it to the host. The caller holds the lock.</summary>
    internal void Finish(VirtualUrb urb, UrbStatus status)
    {
        VirtualEndpoint endpoint = urb.Endpoint;
        int place = endpoint.PlaceOf(urb);
        urb.IsInFlight = false;
        if (status == UrbStatus.Success && urb.ShortNotOk && urb.IsIn && urb.ActualLength < urb.Length)
            status = UrbStatus.ShortPacket;
        endpoint.Leave(urb, status);
        urb.Connection.Return(urb, status);
        endpoint.Follow(place, status);
        Announce();
    }

    /// <summary>Simulates unplugging: the device stops answering immediately, and is removed from its bus shortly afterwards. The caller holds the
    /// lock.</summary>
    internal void PullPlug()
    {
        IsPluggedOut = true;
        Unplug();
    }

    /// <summary>Determines whether the host may submit a URB. Returns 0 or a negative errno. The caller holds the lock.</summary>
    internal int Admit(byte address, int length)
    {
        if (Faults is not { } plan || Find(address) is not { } endpoint)
            return 0;
        long attempt = endpoint.Attempts++;
        if (plan.FindAtSubmission(address, attempt) is not { } rule)
            return 0;
        endpoint.RecordAttempt(rule, attempt, length);
        switch (rule.Kind)
        {
            case FaultKind.Unplug:
                PullPlug();
                return 0;
            case FaultKind.Reset:
                Reset();
                return 0;
            default:
                return -rule.Error;
        }
    }

    internal void Connected(Connection connection) => _connections.Add(connection);

    /// <summary>Determines whether the device node may be opened for writing now. The caller holds the lock.</summary>
    internal bool AdmitWriter()
    {
        Announce(); // a waiting thread evaluates its condition after this lock is released
        if (DenyAccess || DenyNextOpens > 0)
        {
            DenyNextOpens = Math.Max(DenyNextOpens - 1, 0);
            DeniedOpens++;
            return false;
        }

        Opens++;
        return true;
    }

    /// <summary>Closes a host's connection: cancels the connection's URBs and releases its claims.</summary>
    internal void Disconnected(Connection connection)
    {
        lock (SyncRoot)
        {
            foreach (VirtualEndpoint endpoint in _endpoints.Values)
                endpoint.TakeAll(UrbStatus.Unlinked, connection);
            Host.ReleaseAll(connection);
            _connections.Remove(connection);
            Announce();
        }
    }

    /// <summary>Unplugs the device: completes all URBs and closes every host's connection.</summary>
    internal void Disconnect()
    {
        lock (SyncRoot)
        {
            _isEnumerated = IsPluggedOut = false;
            foreach (VirtualEndpoint endpoint in _endpoints.Values)
                endpoint.TakeAll(UrbStatus.Shutdown);
            foreach (Connection connection in _connections)
                connection.Shutdown();
        }
    }

    internal VirtualEndpoint? Find(byte address) => _endpoints.GetValueOrDefault(address);

    /// <summary>
    /// Writes the endpoint table for the host. The table has 32 entries: one for each combination of endpoint number and direction. An entry contains three
    /// values: the endpoint's kind plus 1, the interface number, and the maximum number of bytes in a service interval. The caller holds the lock.
    /// </summary>
    internal void WriteEndpointTable(Span<byte> table)
    {
        table.Clear();
        foreach (InterfaceDescription one in ActiveConfiguration?.Interfaces ?? [])
            foreach (EndpointDescription endpoint in one.AlternateSettings[_alternates[one.Number]].Endpoints)
            {
                Span<byte> entry = table[(((endpoint.Address & 15) | (endpoint.IsIn ? 16 : 0)) * UsbIp.EndpointEntrySize)..];
                entry[0] = (byte)((int)endpoint.Kind + 1);
                entry[1] = one.Number;
                BinaryPrimitives.WriteInt32BigEndian(entry[2..], endpoint.BytesPerInterval(Description.Speed));
            }
    }

    internal InterfaceDescription? FindInterface(uint number)
    {
        foreach (InterfaceDescription one in ActiveConfiguration?.Interfaces ?? [])
            if (one.Number == number)
                return one;
        return null;
    }

    /// <summary>Handles SET_CONFIGURATION. Returns false if the configuration does not exist.</summary>
    internal bool SelectConfiguration(int value)
    {
        ConfigurationDescription? configuration = Description.Configurations.FirstOrDefault(c => c.Value == value);
        if (configuration is null && value != 0)
            return false;
        foreach (VirtualEndpoint endpoint in _endpoints.Values)
            if (endpoint.Address != 0)
                endpoint.TakeAll(UrbStatus.Shutdown);
        Select(configuration);
        ResetEndpoints();
        foreach (InterfaceDescription one in configuration?.Interfaces ?? [])
            OnAlternateSelected(one.Number, 0);
        Bus?.ConfigurationChanged(this);
        return true;
    }

    /// <summary>Handles SET_INTERFACE. Returns false if the interface or the setting does not exist.</summary>
    internal bool SelectAlternate(uint number, uint setting)
    {
        InterfaceDescription? one = FindInterface(number);
        if (one is null || setting >= one.AlternateSettings.Count)
            return false;
        foreach (EndpointDescription endpoint in one.AlternateSettings[_alternates[number]].Endpoints)
            _endpoints[endpoint.Address].TakeAll(UrbStatus.Shutdown);
        _alternates[number] = (byte)setting;
        Describe();
        foreach (EndpointDescription endpoint in one.AlternateSettings[(int)setting].Endpoints)
            _endpoints[endpoint.Address].Reset();
        Bus?.SettingChanged(this, (byte)number);
        OnAlternateSelected((byte)number, (int)setting);
        return true;
    }

    /// <summary>Resets the port. As in the kernel, the configuration and the settings are kept. Returns false if a successor replaces this device.</summary>
    internal bool Reset()
    {
        Resets++;
        if (_successor is { } successor && Bus is { } bus)
        {
            _successor = null;
            IsAttached = false; // the device receives no further requests
            // The thread that replaces the device must take the bus's lock before the device's lock.
            ThreadPool.UnsafeQueueUserWorkItem(static one => one.bus.Replace(one.device, one.successor), (bus, device: this, successor), preferLocal: false);
            return false;
        }
        foreach (VirtualEndpoint endpoint in _endpoints.Values)
            endpoint.TakeAll(UrbStatus.Shutdown);
        ResetEndpoints();
        foreach (InterfaceDescription one in ActiveConfiguration?.Interfaces ?? [])
            OnAlternateSelected(one.Number, _alternates[one.Number]);
        return true;
    }

    private void Select(ConfigurationDescription? configuration)
    {
        ActiveConfiguration = configuration;
        Configuration = configuration?.Value ?? 0;
        Array.Clear(_alternates);
        Describe();
        Host.BindDrivers();
    }

    private void Describe()
    {
        foreach (VirtualEndpoint endpoint in _endpoints.Values)
            endpoint.Description = null;
        foreach (InterfaceDescription one in ActiveConfiguration?.Interfaces ?? [])
            foreach (EndpointDescription endpoint in one.AlternateSettings[_alternates[one.Number]].Endpoints)
                _endpoints[endpoint.Address].Description = endpoint;
    }

    private void ResetEndpoints()
    {
        foreach (VirtualEndpoint endpoint in _endpoints.Values)
            endpoint.Reset();
    }
}
