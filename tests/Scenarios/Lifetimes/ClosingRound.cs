using System.Collections.Concurrent;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Represents a context with a hotplug registration, an open device, two claimed interfaces and 16 transfers in flight. The callbacks submit their transfers
/// again without checking the status.
/// </summary>
internal sealed class ClosingRound : IDisposable
{
    /// <summary>Specifies the number of transfers that are in flight at a time.</summary>
    public const int InFlight = 16;

    private const int Packets = 2;

    private readonly ConcurrentQueue<Exception> _failures = new();
    private readonly List<UsbTransfer> _transfers = [];
    private readonly List<UsbTransfer> _started = [];
    private readonly UsbContext _context;
    private readonly UsbDevice _device;
    private readonly UsbDeviceHandle _handle;
    private readonly UsbInterface _data, _audio;
    private readonly UsbEventThread? _events;
    private readonly Thread? _loop;
    private readonly Task<int>? _read;
    private readonly UsbTransfer _trigger;
    private Action? _inCallback;

    public ClosingRound(EventSupply supply)
    {
        _context = new UsbContext();
        _context.UnhandledCallbackException += (_, e) => _failures.Enqueue(e.Exception);
        _context.RegisterHotplug(static notification => notification.Device.Dispose(), enumerate: false); // makes libusb keep user data for the context
        _device = _context.FindDevice(BusyDevice.Vendor, BusyDevice.Product)!;
        _handle = _device.Open();
        _data = _handle.ClaimInterface(0);
        _audio = _handle.ClaimInterface(1);
        _trigger = _handle.CreateTransfer();
        _trigger.SetBulk(BusyDevice.OutAddress, 1, _ => _inCallback!());
        _transfers.Add(_trigger);
        for (int i = 0; i < InFlight; i++)
            Start(i);
        _events = supply == EventSupply.EventThread ? _context.StartEventThread() : null;
        if (supply == EventSupply.Automatic)
        {
            _data.GetEndpoint(BusyDevice.OutAddress).WriteAsync(new byte[1]).AsTask().GetAwaiter().GetResult();
            _read = _data.GetEndpoint(BusyDevice.InAddress).ReadAsync(new byte[BusyDevice.PacketLength]).AsTask();
        }

        if (supply == EventSupply.Loop)
        {
            _loop = new Thread(HandleEvents);
            _loop.Start();
        }

        _started.ForEach(static transfer => transfer.Submit());
    }

    /// <summary>Closes all objects.</summary>
    /// <param name="order">The order in which the data interface (0), the audio interface (1), the handle (2) and the context (3) are closed.</param>
    /// <param name="form">The calls and threads that close the objects.</param>
    /// <param name="round">The number of the round. The method also closes the device and stops the event thread. The number of the round determines where
    /// these two steps are in the order.</param>
    public void Close(IReadOnlyList<int> order, ClosingForm form, int round)
    {
        IDisposable[] four = [_data, _audio, _handle, _context];
        List<IDisposable> objects = [.. order.Select(i => four[i])];
        objects.Insert(round % (objects.Count + 1), _device);
        if (_events is not null)
            objects.Insert(round / objects.Count % (objects.Count + 1), _events);
        switch (form)
        {
            case ClosingForm.Dispose:
                objects.ForEach(static one => one.Dispose());
                break;
            case ClosingForm.DisposeAsync:
                objects.ForEach(static one => DisposeAsync(one).GetAwaiter().GetResult());
                break;
            case ClosingForm.Overlapping:
                Task.WaitAll([.. objects.Select(DisposeAsync)]);
                break;
            case ClosingForm.Threads:
                Thread[] threads = [.. objects.Select(one => new Thread(() => Guard(one.Dispose)))];
                Array.ForEach(threads, static thread => thread.Start());
                Array.ForEach(threads, static thread => thread.Join());
                break;
            case ClosingForm.Callback:
                InCallback(() => objects.ForEach(static one => one.Dispose()));
                break;
            case ClosingForm.CallbackAndThread:
                Task[] others = [];
                InCallback(() =>
                {
                    for (int i = 0; i < objects.Count; i += 2)
                        objects[i].Dispose();
                    others = [.. objects.Where((_, i) => i % 2 != 0).Select(one => Task.Run(() => DisposeAsync(one)))];
                });
                Task.WaitAll(others);
                break;
        }
    }

    /// <summary>Waits until all objects are closed, and checks the result.</summary>
    public void CheckEnd()
    {
        Dispose();
        if (_read is not null)
        {
            try
            {
                _read.GetAwaiter().GetResult();
            }
            catch (UsbTransferCanceledException)
            {
                // The read was cancelled because its owner closed before the device answered.
            }
        }

        Assert.Empty(_failures);
        Assert.All(_transfers, static transfer => Assert.True(transfer.IsDisposed && !transfer.IsSubmitted));
        Assert.Throws<ObjectDisposedException>(() => _context.HandleEvents(TimeSpan.Zero));
    }

    /// <summary>Waits until all objects are closed.</summary>
    public void Dispose()
    {
        _data.Dispose();
        _audio.Dispose();
        _handle.Dispose();
        _context.Dispose();
        _device.Dispose();
        _events?.Dispose();
        _loop?.Join();
    }

    private static Task DisposeAsync(IDisposable one)
    {
        if (one is IAsyncDisposable asynchronous)
            return asynchronous.DisposeAsync().AsTask();
        one.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>
    /// Creates a transfer that the constructor submits. The index selects one of several callbacks. These callbacks submit the transfer again in different
    /// ways, and do not read the status.
    /// </summary>
    private void Start(int index)
    {
        bool isIsochronous = index % 2 != 0;
        UsbTransfer transfer = Make(isIsochronous, ofHandle: index % 3 == 0);
        switch (index / 2 % 4)
        {
            case 0:
                transfer.Callback = static self => self.Submit();
                break;
            case 1:
                transfer.Callback = static self =>
                {
                    self.SetBuffer(self.Buffer.Length);
                    self.Submit();
                };
                break;
            case 2:
                transfer.Callback = self =>
                {
                    Configure(self, isIsochronous);
                    self.Submit();
                };
                break;
            default:
                UsbTransfer other = Make(!isIsochronous, ofHandle: index % 3 != 0);
                transfer.Callback = _ => other.Submit();
                other.Callback = _ => transfer.Submit();
                break;
        }

        _started.Add(transfer);
    }

    private UsbTransfer Make(bool isIsochronous, bool ofHandle)
    {
        UsbEndpoint endpoint = (isIsochronous ? _audio : _data).Endpoints[0];
        UsbTransfer transfer = ofHandle ? _handle.CreateTransfer(isIsochronous ? Packets : 0) : endpoint.CreateTransfer(isIsochronous ? Packets : 0);
        Configure(transfer, isIsochronous);
        _transfers.Add(transfer);
        return transfer;
    }

    private static void Configure(UsbTransfer transfer, bool isIsochronous)
    {
        if (isIsochronous)
            transfer.SetIsochronous(BusyDevice.IsochronousAddress, BusyDevice.PacketLength);
        else
            transfer.SetBulk(BusyDevice.InAddress, BusyDevice.PacketLength);
    }

    /// <summary>Runs an action in a callback. If no other thread handles events, the calling thread handles events until the action has run.</summary>
    private void InCallback(Action action)
    {
        using var ran = new ManualResetEventSlim();
        _inCallback = () =>
        {
            try
            {
                action();
            }
            finally
            {
                ran.Set();
            }
        };
        _trigger.Submit();
        while (_events is null && _read is null && _loop is null && !ran.IsSet)
            _context.HandleEvents();
        ran.Wait();
    }

    private void HandleEvents()
    {
        try
        {
            while (true)
                _context.HandleEvents();
        }
        catch (ObjectDisposedException)
        {
            // The context is closed.
        }
        catch (Exception exception)
        {
            _failures.Enqueue(exception);
        }
    }

    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception)
        {
            _failures.Enqueue(exception);
        }
    }
}
