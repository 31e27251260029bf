using Drivers.Serial;
using Drivers.Tests.Devices;

namespace Drivers.Tests.Serial;

/// <summary>Tests the data that a serial port sends and receives, and the states that it reports.</summary>
public sealed class FtdiStreamTests : FtdiTest
{
    [BusTheory]
    [InlineData(1)]
    [InlineData(61)]
    [InlineData(62)]
    [InlineData(63)]
    [InlineData(124)]
    [InlineData(200)]
    [InlineData(50_000)]
    public async Task Written_bytes_come_back_without_status_bytes(int length)
    {
        await using FtdiStream port = Plug(new FtdiAdapter { IsLooped = true });
        byte[] data = Pattern(length);
        await port.WriteAsync(data);
        byte[] received = new byte[length];
        await port.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal(data, received);
    }

    [BusFact]
    public async Task A_reader_that_is_late_loses_nothing()
    {
        var adapter = new FtdiAdapter();
        await using FtdiStream port = Plug(adapter);
        byte[] data = Pattern(500_000); // more than the program buffers
        adapter.Receive(data);
        byte[] received = new byte[data.Length];
        await port.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal(data, received);
    }

    [BusFact]
    public async Task The_synchronous_forms_do_the_same()
    {
        await using FtdiStream port = Plug(new FtdiAdapter { IsLooped = true });
        port.ReadTimeout = port.WriteTimeout = (int)Patience.TotalMilliseconds;
        port.Write("hello"u8);
        byte[] received = new byte[5];
        port.ReadExactly(received);
        Assert.Equal("hello"u8, received);
        port.ReadTimeout = 1;
        Assert.Throws<TimeoutException>(() => port.Read(received, 0, 1));
    }

    [BusFact]
    public async Task A_wait_that_is_cancelled_loses_nothing()
    {
        var adapter = new FtdiAdapter();
        await using FtdiStream port = Plug(adapter);
        using var cancellation = new CancellationTokenSource();
        byte[] received = new byte[3];
        ValueTask<int> reading = port.ReadAsync(received, cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await reading);
        adapter.Receive("abc"u8);
        await port.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal("abc"u8, received);
    }

    [BusFact]
    public async Task A_change_of_the_modem_lines_is_reported_without_data()
    {
        var adapter = new FtdiAdapter();
        await using FtdiStream port = Plug(adapter);
        var changed = new TaskCompletionSource<FtdiStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        port.StatusChanged += status => changed.TrySetResult(status);
        adapter.SendStatus(0x31, 0x60);
        FtdiStatus status = await changed.Task.WaitAsync(Patience);
        Assert.Equal(FtdiModemLines.ClearToSend | FtdiModemLines.DataSetReady, status.Lines);
        Assert.Equal(status, port.Status);
        Assert.Equal(status, port.ReadStatus());
    }

    [BusFact]
    public async Task An_error_of_the_line_is_reported_and_the_data_is_delivered()
    {
        var adapter = new FtdiAdapter();
        await using FtdiStream port = Plug(adapter);
        var errors = new TaskCompletionSource<FtdiConditions>(TaskCreationOptions.RunContinuationsAsynchronously);
        port.StatusChanged += status => errors.TrySetResult(status.Errors);
        adapter.SendPacket(0x01, 0x60 | 0x08, (byte)'x');
        byte[] received = new byte[1];
        await port.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal("x"u8, received);
        Assert.Equal(FtdiConditions.FramingError, await errors.Task.WaitAsync(Patience));
    }

    [BusFact]
    public async Task A_purge_discards_the_data_of_the_chip_and_of_the_program()
    {
        var adapter = new FtdiAdapter();
        await using FtdiStream port = Plug(adapter);
        adapter.Receive(Pattern(300_000));
        await port.PurgeAsync().WaitAsync(Patience);
        Assert.Equal([0, 1, 2], adapter.ResetValues);
        adapter.Receive("after"u8);
        byte[] received = new byte[10];
        int count = await port.ReadAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal("after"u8, received.AsSpan(0, count));
    }

    [BusFact]
    public async Task Unplugging_ends_reading_after_the_data_that_had_arrived()
    {
        var adapter = new FtdiAdapter();
        await using FtdiStream port = Plug(adapter);
        Assert.True(adapter.Endpoint(FtdiAdapter.InAddress).WaitForPending(1, Patience)); // a pending transfer receives the data before the device is unplugged
        adapter.Receive("last"u8);
        adapter.Unplug();
        byte[] received = new byte[4];
        await port.ReadExactlyAsync(received).AsTask().WaitAsync(Patience);
        Assert.Equal("last"u8, received);
        UsbException gone = await Assert.ThrowsAsync<UsbException>(() => port.ReadAsync(received).AsTask().WaitAsync(Patience));
        Assert.Equal(UsbError.NoDevice, gone.Error);
    }

    [BusFact]
    public async Task Disposing_ends_a_pending_read()
    {
        FtdiStream port = Plug(new FtdiAdapter());
        Task<int> reading = port.ReadAsync(new byte[1]).AsTask();
        await port.DisposeAsync().AsTask().WaitAsync(Patience);
        Assert.Equal(0, await reading.WaitAsync(Patience));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => port.ReadAsync(new byte[1]).AsTask());
    }

    [BusFact]
    public async Task A_packet_without_its_status_is_an_error_that_names_the_fault()
    {
        var adapter = new FtdiAdapter();
        await using FtdiStream port = Plug(adapter);
        adapter.SendPacket(0x01);
        InvalidDataException refused = await Assert.ThrowsAsync<InvalidDataException>(() => port.ReadAsync(new byte[1]).AsTask().WaitAsync(Patience));
        Assert.Contains("packet of 1 byte", refused.Message, StringComparison.Ordinal);
    }

    [BusFact]
    public async Task An_empty_packet_is_ignored()
    {
        var adapter = new FtdiAdapter();
        await using FtdiStream port = Plug(adapter);
        adapter.SendPacket();
        adapter.Receive("x"u8);
        byte[] received = new byte[2];
        Assert.Equal(1, await port.ReadAsync(received).AsTask().WaitAsync(Patience));
    }
}
