using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Tests that handles and contexts close correctly even if objects that depend on them are open, transfers are in flight, or threads are
/// waiting.</summary>
public sealed unsafe class CloseTrapTests : BusTest
{
    private const byte BulkEndpoint = 0x81;
    private const byte InterruptEndpoint = 0x82;
    private const byte IsoEndpoint = 0x83;

    // This queue stores the warnings and errors that libusb logs. The field is static, so that the log handler does not keep a context alive.
    private static readonly ConcurrentQueue<string> s_complaints = new();
    private static volatile bool s_exited;

    private readonly VirtualDevice _device = new(new DeviceDescription
    {
        Configurations =
        [
            new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(
                new EndpointDescription(BulkEndpoint, EndpointKind.Bulk, 512),
                new EndpointDescription(InterruptEndpoint, EndpointKind.Interrupt, 64),
                new EndpointDescription(IsoEndpoint, EndpointKind.Isochronous, 512)))),
        ],
    })
    { ControlHandler = static _ => true }; // keeps vendor requests without an answer

    public CloseTrapTests()
    {
        s_complaints.Clear();
        s_exited = false;
        Bus.Attach(_device);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void Transfers_of_every_kind_are_called_back_before_the_handle_is_closed(bool withEventThread)
    {
        const int each = 3;
        using UsbEventThread? events = withEventThread ? Context.StartEventThread() : null;
        UsbDeviceHandle handle = Open(_device);
        var ended = new ConcurrentQueue<(UsbTransferType Type, UsbTransferStatus Status)>();
        var transfers = new List<UsbTransfer>();
        void Ended(UsbTransfer transfer) => ended.Enqueue((transfer.Type, transfer.Status));
        for (int i = 0; i < each; i++)
        {
            UsbTransfer control = handle.CreateTransfer(), bulk = handle.CreateTransfer(), interrupt = handle.CreateTransfer(), iso = handle.CreateTransfer(isoPackets: 4);
            control.SetControl(new UsbControlSetup(0xc0, 1, 0, 0), 8, Ended);
            bulk.SetBulk(BulkEndpoint, 512, Ended);
            interrupt.SetInterrupt(InterruptEndpoint, 64, Ended);
            iso.SetIsochronous(IsoEndpoint, 512, Ended);
            transfers.AddRange([control, bulk, interrupt, iso]);
        }

        transfers.ForEach(transfer => transfer.Submit());
        handle.Dispose();
        Assert.Equal(4 * each, ended.Count);
        Assert.All(ended, one => Assert.Equal(UsbTransferStatus.Canceled, one.Status));
        Assert.Equal(4, ended.Select(one => one.Type).Distinct().Count());
        Assert.All(transfers, transfer => Assert.True(transfer.IsDisposed));
    }

    [BusFact]
    public void libusb_finds_nothing_left_when_the_context_is_disposed()
    {
        UsbContext context = MakeContext();
        context.StartEventThread();
        context.RegisterHotplug(static _ => { });
        UseEverything(context, inFlight: true);
        context.Dispose();
        AssertExited(context);
        Assert.Empty(s_complaints);
    }

    [BusFact]
    public void libusb_finds_nothing_left_when_a_whole_context_is_forgotten()
    {
        UsbLibrary.SetLogHandler(static (_, _) => { }); // without this handler, libusb writes to standard error too
        try
        {
            Forget();
            CollectUntil(() => s_exited);
        }
        finally
        {
            UsbLibrary.SetLogHandler(null);
        }

        Assert.Empty(s_complaints);
        Open(_device).Dispose(); // succeeds only if the forgotten handle is closed and its interface is free

        [MethodImpl(MethodImplOptions.NoInlining)]
        void Forget()
        {
            UsbContext context = MakeContext(UsbLogLevel.Debug);
            context.RegisterHotplug(static _ => { });
            UseEverything(context, inFlight: false);
        }
    }

    [BusTheory]
    [InlineData(1)]
    [InlineData(4)]
    public void Threads_that_handle_events_leave_when_the_context_is_disposed(int count)
    {
        for (int round = 0; round < Rounds.Of(200); round++)
        {
            var context = new UsbContext();
            using var started = new CountdownEvent(count);
            Exception? failure = null;
            Thread[] threads = [.. Enumerable.Range(0, count).Select(_ => new Thread(() =>
            {
                started.Signal();
                try
                {
                    while (true)
                        context.HandleEvents(); // for up to 60 seconds each time
                }
                catch (ObjectDisposedException)
                {
                    // The context has been disposed.
                }
                catch (Exception exception)
                {
                    failure = exception;
                }
            }))];
            Array.ForEach(threads, thread => thread.Start());
            Assert.True(started.Wait(Patience));
            for (int i = 0; i < round % 20; i++)
                context.InterruptEventHandlers(); // so that some threads are between two calls when the context is disposed
            context.Dispose();
            Assert.All(threads, thread => Assert.True(thread.Join(Patience), "A thread still handles events."));
            Assert.Null(failure);
            AssertExited(context);
        }
    }

    [BusTheory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void A_synchronous_transfer_ends_when_its_handle_is_closed(bool disposeContext, bool withEventThread)
    {
        using UsbContext context = MakeContext();
        if (withEventThread)
            context.StartEventThread();
        UsbDeviceHandle handle = OpenIn(context);
        Exception? end = null;
        var reader = new Thread(() => end = Record.Exception(() => handle.At(BulkEndpoint).Read(new byte[512]))); // no time limit
        reader.Start();
        Assert.True(_device.Endpoint(BulkEndpoint).WaitForPending(1, Patience));
        if (disposeContext)
            context.Dispose();
        else
            handle.Dispose();
        Assert.True(reader.Join(Patience));
        Assert.True(end is ObjectDisposedException, $"{end}"); // libusb itself reports success with 0 bytes
        context.Dispose();
        AssertExited(context);
        Assert.Empty(s_complaints);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_request_that_is_not_answered_keeps_the_device_open_and_nothing_else(bool withEventThread)
    {
        UsbContext context = MakeContext();
        if (withEventThread)
            context.StartEventThread();
        UsbDeviceHandle handle = OpenIn(context);
        UsbError? error = null;
        int received = 0;
        byte[] answer = new byte[4];
        var reader = new Thread(() => error = handle.TryControlRead(new UsbControlSetup(0xc0, 1, 0, 0), answer, out received)); // no time limit
        reader.Start();
        Assert.True(_device.ControlEndpoint.WaitForPending(1, Patience));
        context.Dispose(); // does not wait for the request; libusb is exited when the request returns
        Assert.True(reader.IsAlive);
        Assert.Throws<ObjectDisposedException>(() => handle.GetConfiguration());
        Assert.Throws<ObjectDisposedException>(() => context.HandleEvents(TimeSpan.Zero));
        _device.ControlEndpoint.Pending[0].CompleteWith([1, 2, 3, 4]);
        Assert.True(reader.Join(Patience));
        Assert.Equal(UsbError.Success, error);
        Assert.Equal(4, received);
        Assert.Equal([1, 2, 3, 4], answer);
        AssertExited(context);
        Assert.Empty(s_complaints);
        Open(_device).Dispose();
    }

    // Another thread disposes the context while the constructor of UsbDeviceHandle runs. The log handler delays the thread that runs the constructor.
    [BusFact]
    public void A_context_that_is_disposed_while_a_device_is_opened_closes_the_new_handle()
    {
        UsbLibrary.SetLogHandler(static (_, _) => { }); // without this handler, libusb writes to standard error too
        try
        {
            var context = new UsbContext(new UsbContextOptions { LogLevel = UsbLogLevel.Debug });
            UsbDevice device = context.FindDevice(_device.Description.VendorId, _device.Description.ProductId)!;
            Exception? failure = null;
            var disposer = new Thread(() => failure = Record.Exception(context.Dispose));
            int opener = Environment.CurrentManagedThreadId;
            bool open = false, disposed = false;
            context.SetLogHandler((_, message) =>
            {
                if (Environment.CurrentManagedThreadId != opener || disposed)
                    return;
                open |= message.IndexOf("[libusb_open]"u8) >= 0;
                if (!open || message.IndexOf("[libusb_get_device_descriptor]"u8) < 0)
                    return; // libusb is still opening the device
                disposer.Start();
                disposed = disposer.Join(Patience);
            });
            Assert.Throws<ObjectDisposedException>(() => device.Open());
            Assert.True(disposed);
            Assert.Null(failure);
            AssertExited(context);
        }
        finally
        {
            UsbLibrary.SetLogHandler(null);
        }

        Open(_device).Dispose();
    }

    private static UsbContext MakeContext(UsbLogLevel level = UsbLogLevel.Warning)
    {
        var context = new UsbContext(new UsbContextOptions { LogLevel = level });
        context.SetLogHandler(static (level, message) =>
        {
            string text = Encoding.UTF8.GetString(message);
            if (level <= UsbLogLevel.Warning)
                s_complaints.Enqueue($"{level}: {text}");
            else if (text.Contains("[libusb_exit]", StringComparison.Ordinal))
                s_exited = true;
        });
        return context;
    }

    /// <summary>
    /// Checks that libusb_exit has been called for the context. Until this call, <see cref="UsbContext.DangerousGetContext"/> returns the native context. After
    /// the call, the method throws an exception.
    /// </summary>
    private static void AssertExited(UsbContext context) => Assert.Throws<ObjectDisposedException>(() => context.DangerousGetContext());

    private UsbDeviceHandle OpenIn(UsbContext context)
    {
        using UsbDevice device = context.FindDevice(_device.Description.VendorId, _device.Description.ProductId)!;
        UsbDeviceHandle handle = device.Open();
        handle.ClaimInterface(0);
        return handle;
    }

    /// <summary>Creates a device, a handle, a claim, a buffer and transfers, and disposes none of them.</summary>
    private void UseEverything(UsbContext context, bool inFlight)
    {
        UsbDevice device = context.FindDevice(_device.Description.VendorId, _device.Description.ProductId)!;
        device.GetActiveConfigurationDescriptor();
        UsbDeviceHandle handle = device.Open();
        handle.ClaimInterface(0);
        UsbBuffer buffer = handle.AllocateBuffer(4096, preferDeviceMemory: inFlight); // a forgotten context has ordinary memory only
        for (int i = 0; i < 8; i++)
        {
            UsbTransfer transfer = handle.CreateTransfer();
            transfer.SetBulkPinned(BulkEndpoint, buffer.Memory[..512], static _ => { });
            if (!inFlight)
                continue;
            transfer.Submit();
            if (i % 2 == 0)
                transfer.Cancel();
        }
    }
}
