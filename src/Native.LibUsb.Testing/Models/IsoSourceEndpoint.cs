namespace Native.LibUsb.Testing;

/// <summary>The isochronous IN endpoint of an <see cref="IsoSource"/>.</summary>
public sealed class IsoSourceEndpoint : VirtualEndpoint
{
    private readonly Dictionary<long, IsoFault> _faults = [];
    private readonly FrameTimer _timer;
    private readonly IsoSourceOptions _options;
    private int _packetSize;
    private long _startMicroframe, _next, _microframesPerInterval = 1;

    internal IsoSourceEndpoint(IsoSourceOptions options)
        : base(IsoSource.EndpointAddress)
    {
        _options = options;
        _timer = new FrameTimer(OnTime);
        UnplugAfterPackets = options.UnplugAfterPackets;
    }

    /// <summary>The number of the next packet that will be sent.</summary>
    public long NextPacket => _next;

    /// <summary>Packets sent since the setting was selected, faults included.</summary>
    public long SentPackets { get; private set; }

    /// <summary>Packets of the stream that no URB waited for.</summary>
    public long MissedPackets { get; private set; }

    /// <summary>Unplugs the device when so many packets have been sent; 0 for never.</summary>
    public long UnplugAfterPackets { get; set; }

    /// <summary>Lets one packet end differently.</summary>
    /// <param name="packet">Its number.</param>
    /// <param name="fault">What becomes of it. With length 0 the number is missing in what the host sees.</param>
    public void FaultAt(long packet, IsoFault fault)
    {
        lock (Device.SyncRoot)
            _faults[packet] = fault;
    }

    internal void Start(int setting)
    {
        FrameClock.Cancel(_timer);
        _packetSize = setting == 0 || Description is null ? 0 : Description.BytesPerInterval(Device.Description.Speed);
        // bInterval is an exponent: 2^(n-1) microframes, or frames of 1 ms at full speed
        _microframesPerInterval = (1L << (Math.Max((int)(Description?.Interval ?? 1), 1) - 1)) * (Device.Description.Speed == VirtualSpeed.Full ? 8 : 1);
        _next = SentPackets = MissedPackets = 0;
        _startMicroframe = -1;
    }

    /// <inheritdoc/>
    protected override void OnSubmit(VirtualUrb urb)
    {
        ArgumentNullException.ThrowIfNull(urb);
        if (!_options.Paced)
        {
            Send(urb, _next, urb.PacketCount);
            _next += urb.PacketCount;
            Finish(urb);
            return;
        }
        // The stream starts with the first URB. A URB goes behind the one before it, or into the next interval if that is past.
        long now = FrameClock.Now;
        if (_startMicroframe < 0)
            _startMicroframe = now + 1;
        long current = (now - _startMicroframe) / _microframesPerInterval;
        long first = Math.Max(_next, current + 1);
        if (_next == 0 && SentPackets == 0)
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
        if (!_options.Paced || !Device.IsAttached)
            return;
        // the packets whose time has come are there; the others never will be
        long now = (FrameClock.Now - _startMicroframe) / _microframesPerInterval;
        int done = (int)Math.Clamp(now - urb.Tag, 0, urb.PacketCount);
        Send(urb, urb.Tag, done);
        Span<IsoPacket> packets = urb.Packets;
        for (int i = done; i < packets.Length; i++)
            packets[i].Status = UrbStatus.Missed;
    }

    private void OnTime()
    {
        lock (Device.SyncRoot)
        {
            while (First is { } urb)
            {
                if (Due(urb) > FrameClock.Now)
                {
                    Schedule(urb);
                    return;
                }
                Send(urb, urb.Tag, urb.PacketCount);
                Finish(urb);
            }
        }
    }

    private long Due(VirtualUrb urb) => _startMicroframe + ((urb.Tag + urb.PacketCount) * _microframesPerInterval);

    private void Schedule(VirtualUrb urb) => FrameClock.Set(_timer, Due(urb));

    private void Finish(VirtualUrb urb)
    {
        urb.Complete();
        if (UnplugAfterPackets > 0 && SentPackets >= UnplugAfterPackets)
        {
            UnplugAfterPackets = 0;
            Hold(); // nothing more is sent until the plug is out
            Device.Unplug();
        }
    }

    private void Send(VirtualUrb urb, long first, int count)
    {
        Span<IsoPacket> packets = urb.Packets;
        for (int i = 0; i < count; i++)
        {
            ref IsoPacket packet = ref packets[i];
            Span<byte> room = urb.PacketBuffer(i);
            if (_faults.Count > 0 && _faults.Remove(first + i, out IsoFault fault))
            {
                packet.Status = fault.Status;
                packet.ActualLength = Math.Clamp(fault.Length, 0, room.Length);
            }
            else if (room.Length < _packetSize)
            {
                packet.Status = UrbStatus.Overflow; // the device sends more than the host made room for
                packet.ActualLength = room.Length;
            }
            else
            {
                packet.Status = UrbStatus.Success;
                packet.ActualLength = _packetSize;
            }
            NumberedPattern.Fill(room[..packet.ActualLength], (ulong)(first + i));
        }
        SentPackets += count;
    }
}
