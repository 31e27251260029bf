using System.Buffers.Binary;
using System.Diagnostics;

namespace Native.LibUsb.Testing;

/// <summary>Represents a USB device that exists in software only: its descriptors, its endpoints, and how it answers control requests.</summary>
/// <remarks>
/// The class can be used as it is, with endpoints that a test plays by hand, or be the base of a model. The standard requests are
/// answered from the descriptors. It can be attached to a <see cref="VirtualBus"/>, detached, and attached again.
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

    /// <summary>Makes a device.</summary>
    /// <exception cref="ArgumentException">The descriptors contradict themselves; the message says where.</exception>
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

    /// <summary>Gets the lock that guards the device and all of its endpoints. Models hold it in every callback; it can be entered again.</summary>
    public object SyncRoot { get; } = new();

    /// <summary>Gets endpoint 0.</summary>
    public VirtualEndpoint ControlEndpoint { get; }

    /// <summary>Gets whether it is on a bus now.</summary>
    public bool IsAttached { get; internal set; }

    /// <summary>Gets the number of its bus; 0 when it is not attached.</summary>
    public int BusNumber { get; internal set; }

    /// <summary>Gets its address on the bus; 0 when it is not attached.</summary>
    public int DeviceNumber { get; internal set; }

    /// <summary>Gets its name in sysfs, such as <c>1-2.3</c>: bus, then the ports on the way; null when it is not attached.</summary>
    public string? PortPath { get; internal set; }

    /// <summary>Gets or sets whether opening the node for writing is refused with EACCES, as for a user without permission. Not with
    /// <see cref="VirtualBusHost.Kernel"/>, nor are openings counted there.</summary>
    public bool DenyAccess { get; set; }

    /// <summary>Refuses so many openings for writing with EACCES, and then no more: right after a device is plugged in, udev has not set its
    /// permissions yet.</summary>
    public int DenyNextOpens { get; set; }

    /// <summary>Gets the number of times that the node has been opened for writing. A program that only looks at descriptors and sysfs never does.</summary>
    public int Opens { get; private set; }

    /// <summary>Gets the number of times that opening the node for writing was refused.</summary>
    public int DeniedOpens { get; private set; }

    /// <summary>Gets or sets the faults that the device injects; null for none.</summary>
    /// <exception cref="InvalidOperationException">The device is attached, or another device has the plan.</exception>
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

    /// <summary>Gets the active configuration's value; 0 when the device is not configured.</summary>
    public byte Configuration { get; private set; }

    /// <summary>Answers requests that are not standard ones, without a class of one's own: returns true when it has completed the URB
    /// or keeps it to complete it later, false for a stall.</summary>
    public Func<VirtualUrb, bool>? ControlHandler { get; set; }

    /// <summary>Gets the number of times that the host has reset the device since it was configured. On <see cref="VirtualBusHost.Kernel"/>, where USB/IP does not
    /// carry the signal, it is seen by the requests that a host begins an enumeration with.</summary>
    public int Resets { get; private set; }

    /// <summary>Gets the device that takes this one's place at the next reset by the host, such as that of a program that has loaded firmware; null when
    /// a reset leaves this one as it is.</summary>
    /// <remarks>
    /// As in the kernel, which compares the descriptors after a reset: the reset fails with ENODEV (<c>libusb_reset_device</c> returns
    /// <c>LIBUSB_ERROR_NOT_FOUND</c>), this device is gone from then on, and the other one appears at the same port with another address a moment
    /// later, both with their events. When the other device is on a bus by then, this one only goes. Not with <see cref="VirtualBusHost.Kernel"/>:
    /// USB/IP does not carry a reset, and a kernel would go on talking to the first device.
    /// </remarks>
    /// <exception cref="ArgumentException">It is this device.</exception>
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

    internal const string NoSuccessor = "USB/IP does not carry a reset: on the kernel's bus no other device can appear after one.";

    internal HostState Host { get; }

    /// <summary>Gets whether the plug is out, and the bus does not know yet: nothing is answered.</summary>
    internal bool IsPluggedOut { get; private set; }

    internal VirtualBus? Bus { get; set; }

    internal TestbedDevice? Sysfs { get; set; }

    internal ConfigurationDescription? ActiveConfiguration { get; private set; }

    internal ReadOnlySpan<byte> DeviceDescriptorBytes => _deviceDescriptor;

    /// <summary>Gets the bytes of the configuration that is active when the device is attached.</summary>
    internal ReadOnlySpan<byte> FirstConfigurationBytes => _configurations[0];

    /// <summary>Gets the device descriptor and all configurations: what sysfs and reading the node give.</summary>
    internal byte[] AllDescriptors => [.. _deviceDescriptor, .. _configurations.SelectMany(c => c)];

    /// <summary>Gets the endpoint at an address (bit 7 set for IN).</summary>
    /// <exception cref="KeyNotFoundException">No setting of the device has it.</exception>
    public VirtualEndpoint Endpoint(byte address) =>
        _endpoints.TryGetValue(address, out VirtualEndpoint? found) ? found : throw new KeyNotFoundException($"The device has no endpoint 0x{address:x2}.");

    /// <summary>Gets the alternate setting of an interface that is active now.</summary>
    public int AlternateOf(byte interfaceNumber) => _alternates[interfaceNumber];

    /// <summary>Gets the text that the system shows for a string of the device descriptor; null when it shows none.</summary>
    internal string? SystemText(byte index) => _strings.SystemText(index);

    /// <summary>Replaces the endpoint at the same address by one with a behaviour of its own.</summary>
    public void Add(VirtualEndpoint endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.Device = this;
        _endpoints[endpoint.Address] = endpoint;
        if (ActiveConfiguration is { } configuration)
            Select(configuration);
    }

    /// <summary>Takes the device off its bus, as if its plug were pulled. Does nothing when it is not attached.</summary>
    /// <remarks>A model that calls it from a callback is unplugged a moment later, from another thread.</remarks>
    public void Unplug()
    {
        if (Bus is not { } bus)
            return;
        if (Monitor.IsEntered(SyncRoot))
            // a thread that detaches takes the bus's lock before the device's
            ThreadPool.UnsafeQueueUserWorkItem(static pair => pair.bus.Detach(pair.device), (bus, device: this), preferLocal: false);
        else
            bus.Detach(this);
    }

    /// <summary>Answers a class or vendor request, or a standard one that the base class does not implement.</summary>
    /// <returns>True when the URB has been completed or will be; false for a stall.</returns>
    protected virtual bool OnControlRequest(VirtualUrb urb) => ControlHandler?.Invoke(urb) ?? false;

    /// <summary>Reacts to the selection of an alternate setting (or all are back at 0 because the device was configured).</summary>
    protected virtual void OnAlternateSelected(byte interfaceNumber, int setting)
    {
    }

    /// <summary>Reacts to the attachment to a bus.</summary>
    protected internal virtual void OnAttached()
    {
    }

    /// <summary>Reacts to the removal from its bus.</summary>
    protected internal virtual void OnDetached()
    {
    }

    /// <summary>Waits until a condition holds that depends on the device. It is looked at, with the lock held, whenever a URB comes or goes.</summary>
    /// <returns>False when the time is up.</returns>
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

    /// <summary>Signals a change that a test may wait for. Lock held.</summary>
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

    /// <summary>Counts a URB that is given back. Lock held.</summary>
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

    /// <summary>Pulls the plug: nothing is answered any more, and the device is off its bus a moment later. Lock held.</summary>
    internal void PullPlug()
    {
        IsPluggedOut = true;
        Unplug();
    }

    /// <summary>Decides whether the host may submit a URB: 0, or a negative errno. Lock held.</summary>
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

    /// <summary>Returns whether the node may be opened for writing now. Lock held.</summary>
    internal bool AdmitWriter()
    {
        Announce(); // a thread that waits looks when this lock is free again
        if (DenyAccess || DenyNextOpens > 0)
        {
            DenyNextOpens = Math.Max(DenyNextOpens - 1, 0);
            DeniedOpens++;
            return false;
        }

        Opens++;
        return true;
    }

    /// <summary>Ends a host's connection: cancels its URBs and releases its claims.</summary>
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

    /// <summary>Unplugs the device: gives everything back and ends every host's connection.</summary>
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

    /// <summary>Gets the 32 entries that describe the endpoints to the host's side: kind + 1, interface, and the most bytes in a service
    /// interval. Lock held.</summary>
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

    /// <summary>Handles SET_CONFIGURATION: false when there is no such configuration.</summary>
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

    /// <summary>Handles SET_INTERFACE: false when there is no such interface or setting.</summary>
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

    /// <summary>Resets the port: as in the kernel, configuration and settings are restored afterwards. False when another device takes the place
    /// of this one.</summary>
    internal bool Reset()
    {
        Resets++;
        if (_successor is { } successor && Bus is { } bus)
        {
            _successor = null;
            IsAttached = false; // nothing reaches it from here on
            // a thread that replaces takes the bus's lock before the device's
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
