using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Tests that a context can be disposed while several threads handle its events in endless loops.</summary>
public sealed class PumpingThreadsTests : IDisposable
{
    private readonly VirtualBus _bus = TestBus.Create();
    private readonly LifetimeDevice _device = new();

    public void Dispose() => _bus.Dispose();

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void All_event_handling_threads_return_when_the_context_is_disposed(bool withEventThread)
    {
        using var watchdog = new Watchdog();
        for (int round = 0; round < Rounds.Of(20); round++)
        {
            using var stage = new Stage(_bus, _device, Load.Everything, withEventThread);
            using var started = new CountdownEvent(4);
            Thread[] threads = [.. Enumerable.Range(0, started.InitialCount).Select(_ => Start(stage.Context, started))];
            stage.Transfers.ForEach(transfer => transfer.Submit());
            started.Wait();
            stage.Close();
            // A thread that is not woken waits in libusb until the timeout of 60 seconds.
            Assert.All(threads, thread => Assert.True(thread.Join(Stage.Patience), $"Round {round}: a thread still waits for events of a context that is disposed."));
            stage.CheckEnd();
        }
    }

    private static Thread Start(UsbContext context, CountdownEvent started)
    {
        var thread = new Thread(() =>
        {
            started.Signal();
            try
            {
                while (true)
                    context.HandleEvents();
            }
            catch (ObjectDisposedException)
            {
                // The context has been disposed.
            }
        });
        thread.Start();
        return thread;
    }
}
