using System.Buffers.Binary;

namespace Native.LibUsb.Testing;

/// <summary>
/// Represents an asynchronous full-speed audio device. An isochronous OUT endpoint receives one packet per millisecond, and the host chooses the length of
/// each packet. A feedback endpoint reports how many frames per packet the device requests. The device plays the sound with its own clock.
/// </summary>
/// <remarks>
/// The device does not use real time. Its time advances by one millisecond when the host submits a data packet. Before every eighth data packet, the
/// device waits until the host has also submitted a feedback packet. A slow host therefore loses no data, and the device plays sound as fast as the host
/// sends it.
/// </remarks>
public sealed class AudioSink : VirtualDevice
{
    /// <summary>The address of the endpoint that receives sound.</summary>
    public const byte DataAddress = 0x01;

    /// <summary>The address of the feedback endpoint.</summary>
    public const byte FeedbackAddress = 0x81;

    /// <summary>The number of data packets between two feedback reports. It equals the number of milliseconds.</summary>
    public const int FeedbackInterval = 8;

    /// <summary>The size of a frame in bytes: two samples of 16 bits.</summary>
    public const int FrameSize = 4;

    private const int FeedbackSize = 3; // bytes per report
    private const int FeedbackExponent = 4; // an interval of 2^(4-1) frames
    private const int Fraction = 14; // a number of frames has 10 integer bits and 14 fractional bits
    private const long CorrectionPackets = 256; // the number of packets over which a wrong fill level is corrected

    private const int MostDeviation = 10_000; // in ppm; the largest packet has room for it

    private readonly Queued _data, _feedback;
    private readonly long _rate; // frames that the device plays per packet
    private long _fill, _packets, _lowest = long.MaxValue, _highest;
    private bool _plays;

    /// <summary>Initializes a new instance of the <see cref="AudioSink"/> class.</summary>
    /// <param name="options">The options of the device. With null, the sample rate is 44.1 kHz, and the device's clock is as fast as the bus's clock.</param>
    /// <exception cref="ArgumentOutOfRangeException">The sample rate, the clock deviation or the buffer size is out of range.</exception>
    public AudioSink(AudioSinkOptions? options = null)
        : this(options ?? new AudioSinkOptions(), true)
    {
    }

    private AudioSink(AudioSinkOptions options, bool _)
        : base(Describe(options))
    {
        Options = options;
        _rate = (long)((((decimal)options.SampleRate * (1_000_000 + options.ClockDeviation)) / 1_000_000_000M) * (1 << Fraction));
        _data = new Queued(this, DataAddress);
        _feedback = new Queued(this, FeedbackAddress);
        Add(_data);
        Add(_feedback);
    }

    /// <summary>Gets the options of the device.</summary>
    public AudioSinkOptions Options { get; }

    /// <summary>Gets or sets the handler that receives each data packet. Set it before the host sends data.</summary>
    public IsoPacketHandler? PacketTaken { get; set; }

    /// <summary>Gets or sets the handler that receives the value of each report: the number of frames per packet, in 10.14 format. Set the handler before the
    /// host reads reports.</summary>
    public Action<int>? Reported { get; set; }

    /// <summary>Gets the number of packets during which the buffer was empty.</summary>
    public long Underruns { get; private set; }

    /// <summary>Gets the number of packets for which the buffer had not enough room.</summary>
    public long Overruns { get; private set; }

    /// <summary>Gets the lowest and the highest number of frames in the buffer since the device started to play.</summary>
    public (long Lowest, long Highest) FillRange
    {
        get
        {
            lock (SyncRoot)
                return _plays ? (_lowest >> Fraction, _highest >> Fraction) : (0, 0);
        }
    }

    /// <inheritdoc/>
    protected override void OnAlternateSelected(byte interfaceNumber, int setting)
    {
        if (setting == 0)
            return; // the host has ended the stream; the counters keep their values
        _fill = _packets = _highest = Underruns = Overruns = 0;
        _lowest = long.MaxValue;
        _plays = false;
    }

    private static DeviceDescription Describe(AudioSinkOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SampleRate, 8_000);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.SampleRate, 48_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ClockDeviation, -MostDeviation);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.ClockDeviation, MostDeviation);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.BufferFrames, options.SampleRate / 1000 * FeedbackInterval);
        const byte asynchronous = 1 << 2, feedback = 1 << 4;
        int most = ((options.SampleRate / 1000) + 2) * FrameSize;
        return new DeviceDescription
        {
            Speed = VirtualSpeed.Full,
            VendorId = options.VendorId,
            ProductId = options.ProductId,
            Manufacturer = "Native.LibUsb",
            Product = "Audio sink",
            SerialNumber = options.SerialNumber is null ? null : new UsbText(options.SerialNumber),
            Configurations =
            [
                new ConfigurationDescription(new InterfaceDescription(
                    0,
                    [
                        new AlternateSetting(), // the setting without endpoints reserves no bandwidth
                        new AlternateSetting(
                            new EndpointDescription(DataAddress, EndpointKind.Isochronous, most) { SyncAndUsage = asynchronous },
                            new EndpointDescription(FeedbackAddress, EndpointKind.Isochronous, FeedbackSize) { SyncAndUsage = feedback, Interval = FeedbackExponent }),
                    ])
                { KernelDriver = options.KernelDriver }),
            ],
        };
    }

    // Called with the lock held when a URB has arrived. Time advances until a required data or feedback packet is missing.
    private void Advance()
    {
        while (_data.First is { } data)
        {
            if (_packets % FeedbackInterval == 0)
            {
                if (_feedback.First is not { } feedback)
                    return;
                Report(feedback);
            }

            Take(data);
            _packets++;
        }
    }

    private void Take(VirtualUrb urb)
    {
        int index = (int)urb.Tag++;
        ref IsoPacket packet = ref urb.Packets[index];
        packet.ActualLength = packet.Length;
        packet.Status = UrbStatus.Success;
        PacketTaken?.Invoke(_packets, urb.PacketBuffer(index));
        Play((long)(packet.Length / FrameSize) << Fraction);
        if (urb.Tag == urb.PacketCount)
            urb.Complete();
    }

    private void Play(long frames)
    {
        long size = (long)Options.BufferFrames << Fraction;
        _fill += frames;
        if (_fill > size)
        {
            Overruns++;
            _fill = size;
        }

        _plays |= _fill >= size / 2;
        if (!_plays)
            return;
        _fill -= _rate;
        if (_fill < 0)
        {
            Underruns++;
            _fill = 0;
        }

        _lowest = Math.Min(_lowest, _fill);
        _highest = Math.Max(_highest, _fill);
    }

    // Normally, the device requests _rate frames per packet. While the device plays and its buffer is less than half full, it requests slightly more frames.
    // While the device plays and its buffer is more than half full, it requests slightly fewer frames. The difference is at most one frame per packet.
    private void Report(VirtualUrb urb)
    {
        long missing = ((long)Options.BufferFrames << Fraction >> 1) - _fill;
        long correction = _plays ? Math.Clamp(missing / CorrectionPackets, -(1 << Fraction), 1 << Fraction) : 0;
        int value = (int)(_rate + correction);
        Reported?.Invoke(value);

        int index = (int)urb.Tag++;
        ref IsoPacket packet = ref urb.Packets[index];
        Span<byte> bytes = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        packet.ActualLength = Math.Min(FeedbackSize, packet.Length);
        packet.Status = packet.Length < FeedbackSize ? UrbStatus.Overflow : UrbStatus.Success;
        bytes[..packet.ActualLength].CopyTo(urb.PacketBuffer(index));
        if (urb.Tag == urb.PacketCount)
            urb.Complete();
    }

    private sealed class Queued(AudioSink device, byte address) : VirtualEndpoint(address)
    {
        public new VirtualUrb? First => base.First;

        protected override void OnSubmit(VirtualUrb urb)
        {
            urb.Tag = 0;
            device.Advance();
        }

        // The packets before this index keep their results. The others are never transferred.
        protected override void OnUnlink(VirtualUrb urb)
        {
            foreach (ref IsoPacket packet in urb.Packets[(int)urb.Tag..])
                packet.Status = UrbStatus.Missed;
        }
    }
}
