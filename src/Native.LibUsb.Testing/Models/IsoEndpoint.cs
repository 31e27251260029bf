namespace Native.LibUsb.Testing;

/// <summary>
/// Represents the common base of the isochronous endpoints of the models: packets are numbered from 0 when a setting is selected, and paced ones move in the
/// time of the bus, one in each service interval.
/// </summary>
public abstract class IsoEndpoint : VirtualEndpoint
{
    // Host controllers schedule a new stream ahead, so that the host can queue more than the first URB. Here that also covers the
    // compilation of this code when the first URB comes: without it the second one could be late.
    private const long StartDelayMicroframes = 160;

    private readonly Dictionary<long, IsoFault> _faults = [];
    private readonly FrameTimer _timer;
    private readonly bool _paced;
    private long _startMicroframe, _next, _microframesPerInterval = 1;
    private long _free = -1; // the first interval that no URB has used, after the last URB in flight was cancelled
    private bool _pullsPlug; // on its own thread, and nothing moves in the meantime

    private protected IsoEndpoint(byte address, bool paced)
        : base(address)
    {
        _paced = paced;
        _timer = new FrameTimer(OnTime);
    }

    /// <summary>Gets the number of the next packet.</summary>
    public long NextPacket => _next;

    /// <summary>Gets the packets of the stream that no URB was there for.</summary>
    public long MissedPackets { get; private set; }

    /// <summary>Unplugs the device when so many packets have moved; 0 for never.</summary>
    public long UnplugAfterPackets { get; set; }

    /// <summary>Gets the number of packets that have moved since the setting was selected, faults included.</summary>
    private protected long MovedPackets { get; private set; }

    /// <summary>Lets one packet end differently.</summary>
    /// <param name="packet">Its number.</param>
    /// <param name="fault">What becomes of it.</param>
    public void FaultAt(long packet, IsoFault fault)
    {
        lock (Device.SyncRoot)
            _faults[packet] = fault;
    }

    /// <summary>Begins anew, because a setting was selected.</summary>
    internal virtual void Start(int setting)
    {
        FrameClock.Cancel(_timer);
        // bInterval is an exponent: 2^(n-1) microframes, or frames of 1 ms at full speed
        _microframesPerInterval = (1L << (Math.Max((int)(Description?.Interval ?? 1), 1) - 1)) * (Device.Description.Speed == VirtualSpeed.Full ? 8 : 1);
        _next = MovedPackets = MissedPackets = 0;
        _free = -1;
        _startMicroframe = -1;
        _pullsPlug = false;
    }

    /// <summary>Gets the settings of interface 0: one without an endpoint, which takes no bandwidth, then one for each size.</summary>
    internal static IReadOnlyList<AlternateSetting> Settings(byte address, VirtualSpeed speed, IReadOnlyList<int>? sizes)
    {
        sizes ??= speed switch
        {
            VirtualSpeed.Full => [256, 512, 1023],
            VirtualSpeed.High => [512, 1024, 2048, 3072],
            VirtualSpeed.Super or VirtualSpeed.SuperPlus => [1024, 16384, 49152],
            _ => throw new ArgumentException("A low-speed device has no isochronous endpoints."),
        };
        return [new AlternateSetting(), .. sizes.Select(size => new AlternateSetting(ForSize(address, size, speed)))];
    }

    /// <summary>Moves the packet's data, or lets the packet fail. Called with the device's lock held.</summary>
    private protected abstract void Move(VirtualUrb urb, int index, long number, IsoFault? fault);

    /// <inheritdoc/>
    protected override void OnSubmit(VirtualUrb urb)
    {
        ArgumentNullException.ThrowIfNull(urb);
        if (!_paced)
        {
            MoveAll(urb, _next, urb.PacketCount);
            _next += urb.PacketCount;
            Finish(urb);
            return;
        }
        // The stream starts a little after the first URB. A URB goes behind the one before it, or into the next interval if that was past when the host
        // submitted the URB. The time of the submission decides, so that a bus that receives it late makes no host lose packets.
        if (_startMicroframe < 0)
            _startMicroframe = FrameClock.Now + StartDelayMicroframes;
        long current = (urb.Microframe - _startMicroframe) / _microframesPerInterval;
        if (_free >= 0 && First == urb)
            _next = Math.Min(_next, Math.Max(current + 1, _free)); // the URBs that had these intervals were cancelled
        _free = -1;
        long first = Math.Max(_next, current + 1);
        if (_next == 0 && MovedPackets == 0)
            first = 0;
        MissedPackets += first - _next;
        urb.Tag = first;
        urb.StartFrame = (int)(_startMicroframe + (first * _microframesPerInterval));
        _next = first + urb.PacketCount;
        if (First == urb)
            Schedule(urb);
    }

    /// <inheritdoc/>
    protected override void OnUnlink(VirtualUrb urb)
    {
        ArgumentNullException.ThrowIfNull(urb);
        if (!_paced || !Device.IsAttached || Device.IsPluggedOut || _pullsPlug)
            return;
        // A busy machine may be late: what is due before this one moves before it.
        while (MoveDue())
        {
        }

        if (!urb.IsInFlight || _pullsPlug)
            return;
        // the packets whose time has come have moved; the others never will
        long now = (FrameClock.Now - _startMicroframe) / _microframesPerInterval;
        int done = (int)Math.Clamp(now - urb.Tag, 0, urb.PacketCount);
        MoveAll(urb, urb.Tag, done);
        if (MovedPackets > 0 && Pending.Count == 1)
            _free = now + 1;
        Span<IsoPacket> packets = urb.Packets;
        for (int i = done; i < packets.Length; i++)
            packets[i].Status = UrbStatus.Missed;
    }

    /// <summary>Gets the endpoint that carries so many bytes in a service interval.</summary>
    private static EndpointDescription ForSize(byte address, int size, VirtualSpeed speed)
    {
        const byte asynchronous = 1 << 2;
        int packets = (size + 1023) / 1024;
        bool fast = speed >= VirtualSpeed.Super;
        int most = fast ? 48 : speed == VirtualSpeed.High ? 3 : 1;
        if (size < 1 || packets > most || size % packets != 0)
            throw new ArgumentException($"An isochronous packet of {size} bytes does not exist at {speed} speed.");
        EndpointDescription endpoint = new(address, EndpointKind.Isochronous, size / packets) { SyncAndUsage = asynchronous };
        if (!fast)
            return endpoint with { PacketsPerMicroframe = packets };
        int bursts = (packets + 15) / 16;
        if (packets % bursts != 0)
            throw new ArgumentException($"An isochronous packet of {size} bytes cannot be divided in {bursts} bursts.");
        return endpoint with { Burst = packets / bursts, BurstsPerInterval = bursts };
    }

    // A thread that is late moves several URBs. It releases the lock after each one, so that the host can submit others in their place.
    private void OnTime()
    {
        while (MoveDue())
            Thread.Yield();
    }

    /// <summary>Moves the oldest URB if its time has come, and otherwise sets the timer for it.</summary>
    /// <returns>False when no URB is due.</returns>
    private bool MoveDue()
    {
        lock (Device.SyncRoot)
        {
            if (_pullsPlug || Device.IsPluggedOut || First is not { } urb)
                return false;
            if (Due(urb) > FrameClock.Now)
            {
                Schedule(urb);
                return false;
            }

            MoveAll(urb, urb.Tag, urb.PacketCount);
            Finish(urb);
            return true;
        }
    }

    private long Due(VirtualUrb urb) => _startMicroframe + ((urb.Tag + urb.PacketCount) * _microframesPerInterval);

    private void Schedule(VirtualUrb urb) => FrameClock.Set(_timer, Due(urb));

    private void Finish(VirtualUrb urb)
    {
        urb.Complete();
        if (UnplugAfterPackets > 0 && MovedPackets >= UnplugAfterPackets)
        {
            UnplugAfterPackets = 0;
            _pullsPlug = true;
            Hold(); // nothing more moves until the plug is out
            Device.Unplug();
        }
    }

    private void Record(VirtualUrb urb, int index, long number)
    {
        IsoPacket packet = urb.Packets[index];
        Device.Faults?.Record(new InjectedFault
        {
            Endpoint = Address,
            Urb = urb.Number,
            Packet = number,
            Kind = FaultKind.Packets,
            Status = packet.Status,
            Length = packet.Length,
            Moved = packet.ActualLength,
            Lost = packet.Length - packet.ActualLength,
        });
    }

    private void MoveAll(VirtualUrb urb, long first, int count)
    {
        for (int i = 0; i < count; i++)
        {
            IsoFault? fault = _faults.Count > 0 && _faults.Remove(first + i, out IsoFault found) ? found : Device.Faults?.FindPacket(Address, first + i);
            Move(urb, i, first + i, fault);
            if (fault is not null)
                Record(urb, i, first + i);
        }
        MovedPackets += count;
    }
}
