using System.Runtime.CompilerServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Hotplug;

/// <summary>Tests that a stream of hotplug events releases its queued devices when the program cancels the stream or drops all references to it.</summary>
public sealed class UnreadWatchTests : BusTest
{
    private const int Count = 5;

    private readonly BulkLoopback[] _devices = [.. Enumerable.Range(0, Count).Select(static _ => new BulkLoopback())];
    private int _destroyed;

    public UnreadWatchTests()
    {
        Array.ForEach(_devices, device => Bus.Attach(device));
        Context.StartEventThread();
    }

    [BusFact]
    public async Task A_cancelled_token_ends_a_stream_that_was_never_read()
    {
        using var stop = new CancellationTokenSource();
        IAsyncEnumerable<UsbHotplugNotification> stream = Context.WatchDevicesAsync(cancellationToken: stop.Token);
        await stop.CancelAsync();
        UnplugUntilDestroyed(static condition => Assert.True(SpinWait.SpinUntil(condition, Patience), "The stream still keeps the devices."));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (UsbHotplugNotification notification in stream)
                Assert.Fail("The ended stream returned a device.");
        });
    }

    [BusFact]
    public async Task A_token_that_is_cancelled_already_ends_the_stream_at_once()
    {
        IAsyncEnumerable<UsbHotplugNotification> stream = Context.WatchDevicesAsync(cancellationToken: new CancellationToken(canceled: true));
        UnplugUntilDestroyed(static condition => Assert.True(SpinWait.SpinUntil(condition, Patience), "The stream still keeps the devices."));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.GetAsyncEnumerator().MoveNextAsync());
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_forgotten_stream_ends(bool hasToken)
    {
        using var stop = new CancellationTokenSource();
        Forget(hasToken ? stop.Token : default);
        UnplugUntilDestroyed(CollectUntil);
    }

    [BusFact]
    public void A_forgotten_reader_ends()
    {
        BeginAndForget();
        UnplugUntilDestroyed(CollectUntil);
    }

    [BusFact]
    public async Task A_reader_that_waits_is_not_forgotten()
    {
        using var told = new ManualResetEventSlim();
        Task reader = Wait(told);
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Bus.Detach(_devices[0]);
        await reader.WaitAsync(Patience);
        Assert.True(told.IsSet);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Forget(CancellationToken cancellationToken) => Context.WatchDevicesAsync(cancellationToken: cancellationToken);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void BeginAndForget()
    {
        IAsyncEnumerator<UsbHotplugNotification> reader = Context.WatchDevicesAsync().GetAsyncEnumerator();
        ValueTask<bool> first = reader.MoveNextAsync();
        Assert.True(first.IsCompleted && first.Result);
        reader.Current.Device.Dispose();
    }

    // The returned task does not refer to the stream. Only the pending read refers to the stream.
    private Task Wait(ManualResetEventSlim told)
    {
        IAsyncEnumerable<UsbHotplugNotification> stream = Context.WatchDevicesAsync(events: UsbHotplugEvents.Left);
        return Task.Run(async () =>
        {
            await foreach (UsbHotplugNotification notification in stream)
            {
                notification.Device.Dispose();
                told.Set();
                return;
            }
        });
    }

    // When the last reference to a device is released, libusb logs that it destroys the device.
    private void UnplugUntilDestroyed(Action<Func<bool>> wait)
    {
        UsbLibrary.SetLogHandler(static (_, _) => { }); // otherwise libusb writes to standard error too
        try
        {
            Context.SetLogHandler((_, message) =>
            {
                if (message.IndexOf("destroy device"u8) >= 0)
                    Interlocked.Increment(ref _destroyed);
            });
            Context.SetLogLevel(UsbLogLevel.Debug);
            Array.ForEach(_devices, Bus.Detach);
            wait(() => Volatile.Read(ref _destroyed) == Count);
        }
        finally
        {
            Context.SetLogLevel(UsbLogLevel.None);
            UsbLibrary.SetLogHandler(null);
        }
    }
}
