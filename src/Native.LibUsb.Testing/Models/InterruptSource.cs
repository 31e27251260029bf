namespace Native.LibUsb.Testing;

/// <summary>Represents a device with an interrupt IN endpoint (0x83). The device periodically sends a report whose bytes follow the
/// <see cref="NumberedPattern"/>. The methods of this class send further reports.</summary>
public sealed class InterruptSource : VirtualDevice
{
    /// <summary>The address of the interrupt endpoint.</summary>
    public const byte EndpointAddress = 0x83;

    private readonly Queue<byte[]> _reports = [];
    private readonly FrameTimer _timer;
    private long _nextDue;

    /// <summary>Initializes a new instance of the <see cref="InterruptSource"/> class.</summary>
    public InterruptSource(InterruptSourceOptions? options = null)
        : base(Describe(options ??= new InterruptSourceOptions()))
    {
        ArgumentOutOfRangeException.ThrowIfNegative(options.PeriodMilliseconds);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.QueueLength, 1);
        Options = options;
        _timer = new FrameTimer(OnTime);
        Add(new ReportEndpoint(this));
    }

    /// <summary>Gets the options of the device.</summary>
    public InterruptSourceOptions Options { get; }

    /// <summary>Gets the number of numbered reports that were created since the device was configured.</summary>
    public long Reports { get; private set; }

    /// <summary>Gets the number of reports that were dropped because the host did not read them in time.</summary>
    public long LostReports { get; private set; }

    /// <summary>Sends a report. If the host has no URB pending, the report waits in the queue.</summary>
    /// <param name="data">The report, with at most <see cref="InterruptSourceOptions.ReportSize"/> bytes.</param>
    public void Report(ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(data.Length, Options.ReportSize);
        lock (SyncRoot)
        {
            if (_reports.Count == Options.QueueLength)
            {
                _reports.Dequeue();
                LostReports++;
            }
            _reports.Enqueue(data.ToArray());
            ((ReportEndpoint)Endpoint(EndpointAddress)).Pump();
        }
    }

    /// <summary>Sends the next report of the <see cref="NumberedPattern"/>. If the host has no URB pending, the report waits in the queue.</summary>
    public void ReportNext()
    {
        Span<byte> report = stackalloc byte[Options.ReportSize];
        lock (SyncRoot)
        {
            NumberedPattern.Fill(report, (ulong)Reports++);
            Report(report);
        }
    }

    /// <inheritdoc/>
    protected override void OnAlternateSelected(byte interfaceNumber, int setting)
    {
        if (_reports is null)
            return; // the base constructor calls this method before the fields are set
        _reports.Clear();
        Reports = LostReports = 0;
        if (Options.PeriodMilliseconds > 0)
            FrameClock.Set(_timer, _nextDue = FrameClock.Now + (Options.PeriodMilliseconds * 8L));
    }

    /// <inheritdoc/>
    protected internal override void OnDetached() => FrameClock.Cancel(_timer);

    private static DeviceDescription Describe(InterruptSourceOptions options)
    {
        int most = options.Speed switch { VirtualSpeed.Low => 8, VirtualSpeed.Full => 64, _ => 1024 };
        ArgumentOutOfRangeException.ThrowIfLessThan(options.ReportSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.ReportSize, most);
        // From high speed on, bInterval is the exponent of a number of microframes. At lower speeds, it is a number of frames.
        byte interval = options.Speed >= VirtualSpeed.High ? (byte)4 : (byte)1;
        return new DeviceDescription
        {
            Speed = options.Speed,
            VendorId = options.VendorId,
            ProductId = options.ProductId,
            Manufacturer = "Native.LibUsb",
            Product = "Interrupt source",
            SerialNumber = options.SerialNumber is null ? null : new UsbText(options.SerialNumber),
            Configurations =
            [
                new ConfigurationDescription(new InterfaceDescription(0,
                    new AlternateSetting(new EndpointDescription(EndpointAddress, EndpointKind.Interrupt, options.ReportSize) { Interval = interval }))
                { KernelDriver = options.KernelDriver }),
            ],
        };
    }

    private void OnTime()
    {
        lock (SyncRoot)
        {
            if (!IsAttached)
                return;
            ReportNext();
            FrameClock.Set(_timer, _nextDue += Options.PeriodMilliseconds * 8L);
        }
    }

    private sealed class ReportEndpoint(InterruptSource device) : VirtualEndpoint(EndpointAddress)
    {
        public void Pump()
        {
            while (device._reports.Count > 0 && First is { } urb)
                urb.CompleteWith(device._reports.Dequeue());
        }

        protected override void OnSubmit(VirtualUrb urb) => Pump();
    }
}
