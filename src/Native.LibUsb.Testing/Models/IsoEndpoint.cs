namespace Native.LibUsb.Testing;

/// <summary>
/// Represents the base class of the models' isochronous endpoints. When the host selects an alternate setting, the numbers of the packets start again at 0. A
/// paced endpoint works in real time: it transfers one packet in each service interval. An endpoint that is not paced transfers packets as fast as the host
/// submits URBs.
/// </summary>
public abstract class IsoEndpoint : VirtualEndpoint
{
    // Host controllers start a new stream with a delay, so that the host can queue several URBs before the first packet. When the first URB arrives, the
    // runtime must also compile this code. The delay must be longer than the compilation, because the second URB would otherwise be late.
    private const long StartDelayMicroframes = 160;

    private readonly Dictionary<long, IsoFault> _faults = [];
    private readonly FrameTimer _timer;
    private readonly bool _paced;
    private long _startMicroframe, _next, _microframesPerInterval = 1;
    private long _free = -1; // the first unused interval after a cancellation of the last URB in flight; otherwise -1
    private bool _pullsPlug; // another thread is about to unplug the device; no packet moves until then

    private protected IsoEndpoint(byte address, bool paced)
        : base(address)
    {
        _paced = paced;
        _timer = new FrameTimer(OnTime);
    }

    /// <summary>Gets the number of the next packet.</summary>
    public long NextPacket => _next;

    /// <summary>Gets the number of packets that were missed because no URB was pending in their interval.</summary>
    public long MissedPackets { get; private set; }

    /// <summary>Gets or sets the number of packets after which the device unplugs itself, or 0 if it does not.</summary>
    public long UnplugAfterPackets { get; set; }

    /// <summary>Gets the number of packets that the endpoint has moved since the setting was selected, including packets with faults.</summary>
    private protected long MovedPackets { get; private set; }

    /// <summary>Injects a fault into one packet.</summary>
    /// <param name="packet">The number of the packet.</param>
    /// <param name="fault">The result of the packet.</param>
    public void FaultAt(long packet, IsoFault fault)
    {
        lock (Device.SyncRoot)
            _faults[packet] = fault;
    }

    /// <summary>Restarts the stream after a setting has been selected.</summary>
    internal virtual void Start(int setting)
    {
        FrameClock.Cancel(_timer);
        // bInterval is an exponent: the interval is 2^(n-1) microframes, or at full speed 2^(n-1) frames of 1 ms.
        _microframesPerInterval = (1L << (Math.Max((int)(Description?.Interval ?? 1), 1) - 1)) * (Device.Description.Speed == VirtualSpeed.Full ? 8 : 1);
        _next = MovedPackets = MissedPackets = 0;
        _free = -1;
        _startMicroframe = -1;
        _pullsPlug = false;
    }

    /// <summary>Returns the settings of interface 0: a setting without endpoints, which reserves no bandwidth, and one setting for each packet
    /// size.</summary>
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

    /// <summary>Moves the packet's data or applies the fault. The caller holds the device's lock.</summary>
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
        // The stream starts shortly after the first URB. Each further URB normally starts in the interval that follows the preceding URB. If the host submits a
        // URB too late for that interval, the URB starts in the first interval after its submission. A busy bus may receive the URB long after the host
        // submitted it. The code uses the time of the submission, so that this delay does not cause lost packets.
        if (_startMicroframe < 0)
            _startMicroframe = FrameClock.Now + StartDelayMicroframes;
        long current = (urb.Microframe - _startMicroframe) / _microframesPerInterval;
        if (_free >= 0 && First == urb)
            _next = Math.Min(_next, Math.Max(current + 1, _free)); // the URBs for these intervals were cancelled
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
        // On a busy machine, the timer may be late. URBs that were due before this one are moved first.
        while (MoveDue())
        {
        }

        if (!urb.IsInFlight || _pullsPlug)
            return;
        // Packets whose interval has passed are moved. The others never will be.
        long now = (FrameClock.Now - _startMicroframe) / _microframesPerInterval;
        int done = (int)Math.Clamp(now - urb.Tag, 0, urb.PacketCount);
        MoveAll(urb, urb.Tag, done);
        if (MovedPackets > 0 && Pending.Count == 1)
            _free = now + 1;
        Span<IsoPacket> packets = urb.Packets;
        for (int i = done; i < packets.Length; i++)
            packets[i].Status = UrbStatus.Missed;
    }

    /// <summary>Returns a description of an endpoint that carries the given number of bytes per service interval.</summary>
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

    // A late thread moves several URBs. It releases the lock after each URB, so that the host can submit new ones.
    private void OnTime()
    {
        while (MoveDue())
            Thread.Yield();
    }

    /// <summary>Handles the oldest URB. If the URB is due, the method moves the packets of the URB and completes the URB. Otherwise, the method sets the timer
    /// to the time at which the URB is due.</summary>
    /// <returns>Whether the method has completed a URB.</returns>
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
            Hold(); // no packet moves until the device is unplugged
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
