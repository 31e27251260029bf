using System.Text;
using Drivers.Reconnecting;
using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Drivers.Tests.Reconnecting;

/// <summary>Tests that one reader receives the data of all connections of a device.</summary>
public sealed class ReconnectingClientTests : BusTest
{
    private readonly InterruptSource _source = new(new InterruptSourceOptions { SerialNumber = "one", PeriodMilliseconds = 0 });

    [BusFact]
    public async Task The_reader_continues_after_the_device_is_unplugged_and_plugged_in_again()
    {
        await using IAsyncEnumerator<ClientItem> items = Read(Filter());
        Task<bool> waiting = items.MoveNextAsync().AsTask(); // no device is plugged in
        Assert.False(waiting.IsCompleted);
        for (int round = 0; round < 5; round++)
        {
            Bus.Attach(_source);
            Assert.True(await (round == 0 ? waiting : items.MoveNextAsync().AsTask()).WaitAsync(Patience));
            Assert.Equal(ClientEvent.Connected, items.Current.Event);
            for (int report = 0; report < 3; report++)
            {
                _source.Report(Encoding.ASCII.GetBytes($"{round}.{report}"));
                Assert.Equal($"{round}.{report}", await DataAsync(items));
            }

            _source.Unplug();
            Assert.True(await items.MoveNextAsync().AsTask().WaitAsync(Patience));
            Assert.Equal((ClientEvent.Disconnected, UsbError.NoDevice), (items.Current.Event, items.Current.Cause?.Error));
        }
    }

    [BusFact]
    public async Task Data_that_had_arrived_comes_before_the_disconnection()
    {
        Bus.Attach(_source);
        await using IAsyncEnumerator<ClientItem> items = Read(Filter());
        await items.MoveNextAsync().AsTask().WaitAsync(Patience);
        Assert.True(_source.Endpoint(InterruptSource.EndpointAddress).WaitForPending(2, Patience));
        _source.Report("a"u8);
        _source.Report("b"u8);
        _source.Unplug();
        Assert.Equal("a", await DataAsync(items));
        Assert.Equal("b", await DataAsync(items));
        await items.MoveNextAsync().AsTask().WaitAsync(Patience);
        Assert.Equal(ClientEvent.Disconnected, items.Current.Event);
    }

    [BusFact]
    public async Task A_device_with_another_serial_number_is_left_alone()
    {
        var other = new InterruptSource(new InterruptSourceOptions { SerialNumber = "two", PeriodMilliseconds = 0 });
        Bus.Attach(other);
        await using IAsyncEnumerator<ClientItem> items = Read(Filter() with { SerialNumber = "one" });
        Task<bool> waiting = items.MoveNextAsync().AsTask();
        Assert.True(other.WaitUntil(() => other.Opens > 0, Patience));
        Bus.Attach(_source);
        Assert.True(await waiting.WaitAsync(Patience));
        _source.Report("mine"u8);
        Assert.Equal("mine", await DataAsync(items));
    }

    [BusFact]
    public async Task A_device_that_cannot_be_read_ends_the_stream_with_the_reason()
    {
        _source.DenyAccess = true;
        Bus.Attach(_source);
        await using IAsyncEnumerator<ClientItem> items = Read(Filter());
        UsbException refused = await Assert.ThrowsAsync<UsbException>(() => items.MoveNextAsync().AsTask().WaitAsync(Patience));
        Assert.Equal(UsbError.Access, refused.Error);
    }

    [BusFact]
    public async Task The_client_waits_for_permissions_that_are_set_late()
    {
        _source.DenyNextOpens = 2;
        Bus.Attach(_source);
        await using IAsyncEnumerator<ClientItem> items = Read(Filter());
        Assert.True(await items.MoveNextAsync().AsTask().WaitAsync(Patience));
        Assert.Equal(ClientEvent.Connected, items.Current.Event);
    }

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_token_ends_the_stream_with_and_without_a_device(bool attached)
    {
        using var cancellation = new CancellationTokenSource();
        await using IAsyncEnumerator<ClientItem> items = Read(Filter(), cancellation.Token);
        if (attached)
        {
            Bus.Attach(_source);
            await items.MoveNextAsync().AsTask().WaitAsync(Patience);
        }

        Task<bool> waiting = items.MoveNextAsync().AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(Patience));
    }

    private static async Task<string> DataAsync(IAsyncEnumerator<ClientItem> items)
    {
        Assert.True(await items.MoveNextAsync().AsTask().WaitAsync(Patience));
        Assert.Equal(ClientEvent.Data, items.Current.Event);
        return Encoding.ASCII.GetString(items.Current.Data.Span);
    }

    private UsbDeviceFilter Filter() => new() { VendorId = _source.Description.VendorId, ProductId = _source.Description.ProductId };

    private IAsyncEnumerator<ClientItem> Read(UsbDeviceFilter filter, CancellationToken cancellationToken = default) =>
        new ReconnectingClient(Context, filter, new UsbRingOptions { TransferSize = 0, Transfers = 4 }).ReadAllAsync(cancellationToken).GetAsyncEnumerator(CancellationToken.None);
}
