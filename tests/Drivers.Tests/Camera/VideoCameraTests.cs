using Drivers.Camera;
using Drivers.Tests.Devices;
using Native.LibUsb.Testing;

namespace Drivers.Tests.Camera;

/// <summary>Tests the requests that the driver sends to a camera, and the pictures that the driver delivers.</summary>
public sealed class VideoCameraTests : BusTest
{
    private const int FrameSize = 3000;

    private readonly VirtualCamera _device = new(FrameSize, payloadSize: 300);

    [BusFact]
    public async Task Pictures_arrive_whole_and_in_order()
    {
        SendPictures(0, 5);
        List<CameraFrame> frames = await ReadAsync(3);
        Assert.Equal([0, 1, 2], frames.Select(frame => frame.Number));
        for (int i = 0; i < frames.Count; i++)
            Assert.Equal(Picture(i + 1), frames[i].Data.ToArray()); // the picture in progress at the start is left out
    }

    [BusFact]
    public async Task The_smallest_setting_with_room_for_the_payload_is_selected_and_released()
    {
        int chosen = -1;
        SendPictures(0, 3);
        _device.Endpoint(VirtualCamera.Address).Hold();
        Task<List<CameraFrame>> reading = ReadAsync(1);
        Assert.True(_device.Endpoint(VirtualCamera.Address).WaitForPending(1, Patience));
        chosen = _device.AlternateOf(VirtualCamera.Streaming);
        _device.Endpoint(VirtualCamera.Address).Resume();
        await reading;
        Assert.Equal(2, chosen); // 512 bytes
        Assert.Equal(0, _device.AlternateOf(VirtualCamera.Streaming));
        Assert.Equal((2, 3), (_device.Probed![2], _device.Probed[3]));
        Assert.Equal(333_333, BitConverter.ToInt32(_device.Probed, 4));
        Assert.Equal(FrameSize, BitConverter.ToInt32(_device.Committed!, 18));
    }

    [BusFact]
    public async Task A_picture_whose_end_is_marked_does_not_wait_for_the_next_one()
    {
        SendPictures(0, 2);
        Assert.Equal(Picture(1), (await ReadAsync(1))[0].Data.ToArray());
    }

    [BusFact]
    public async Task A_picture_whose_end_is_not_marked_ends_with_the_next_one()
    {
        for (int i = 0; i < 5; i++)
            _device.SendPicture(Picture(i), hasEnd: false);
        List<CameraFrame> frames = await ReadAsync(3);
        Assert.Equal(Picture(1), frames[0].Data.ToArray());
        Assert.Equal(Picture(3), frames[2].Data.ToArray());
    }

    [BusTheory]
    [InlineData("error bit")]
    [InlineData("one byte")]
    [InlineData("longer than the payload")]
    [InlineData("shorter than its flags")]
    [InlineData("no length")]
    [InlineData("lost")]
    [InlineData("too large")]
    [InlineData("too long")]
    public async Task A_picture_with_a_bad_payload_is_left_out(string kind)
    {
        SendPictures(0, 2);
        _device.SendPicture(Picture(2), change: (number, payload) =>
        {
            if (number != 4)
                return payload;
            switch (kind)
            {
                case "error bit": payload[1] |= 0x40; return payload;
                case "one byte": return payload[..1];
                case "longer than the payload": return payload[..11];
                case "shorter than its flags": payload[0] = 2; return payload;
                case "no length": payload[0] = 0; return payload;
                case "too large": return [.. payload, .. new byte[300]];
                case "too long": return [.. payload, .. new byte[100]];
                default: _device.Send(payload, UrbStatus.Missed); return [];
            }
        });
        SendPictures(3, 3);
        List<CameraFrame> frames = await ReadAsync(3, isUncompressed: kind == "too long");
        Assert.Equal([0, 2, 3], frames.Select(frame => frame.Number));
        Assert.Equal(Picture(1), frames[0].Data.ToArray());
        Assert.Equal(Picture(3), frames[1].Data.ToArray());
    }

    [BusFact]
    public async Task An_uncompressed_picture_that_is_too_short_is_left_out()
    {
        SendPictures(0, 2);
        _device.SendPicture(Picture(2).AsSpan(100));
        SendPictures(3, 2);
        Assert.Equal([0, 2], (await ReadAsync(2)).Select(frame => frame.Number));
    }

    [BusFact]
    public async Task A_compressed_picture_has_its_own_length()
    {
        SendPictures(0, 1);
        _device.SendPicture(Picture(1).AsSpan(100));
        SendPictures(2, 1);
        Assert.Equal(FrameSize - 100, (await ReadAsync(1, isUncompressed: false))[0].Data.Length);
    }

    [BusTheory]
    [InlineData("short", "with 11 bytes instead of 26")]
    [InlineData("format", "offers format 9")]
    [InlineData("empty", "up to 0 bytes")]
    [InlineData("huge", "up to 4294967295 bytes")]
    [InlineData("payload", "payloads of 5000 bytes, and its largest alternate setting has 1024")]
    public async Task A_wrong_answer_to_the_probe_is_an_error_that_names_the_fault(string kind, string message)
    {
        switch (kind)
        {
            case "short": _device.ChangeProbe = probe => probe[..11]; break;
            case "format": _device.ChangeProbe = probe => [.. probe[..2], 9, .. probe[3..]]; break;
            case "empty": _device.FrameSize = 0; break;
            case "huge": _device.FrameSize = uint.MaxValue; break;
            default: _device.PayloadSize = 5000; break;
        }

        InvalidDataException refused = await Assert.ThrowsAsync<InvalidDataException>(() => ReadAsync(1));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [BusFact]
    public async Task Unplugging_ends_the_stream_with_an_error()
    {
        Task<List<CameraFrame>> reading = ReadAsync(1);
        Assert.True(_device.Endpoint(VirtualCamera.Address).WaitForPending(1, Patience));
        _device.Unplug();
        UsbException gone = await Assert.ThrowsAsync<UsbException>(() => reading);
        Assert.Equal(UsbError.NoDevice, gone.Error);
    }

    private static byte[] Picture(int number)
    {
        byte[] data = new byte[FrameSize];
        new Random(number).NextBytes(data);
        return data;
    }

    private void SendPictures(int first, int count)
    {
        for (int i = first; i < first + count; i++)
            _device.SendPicture(Picture(i));
    }

    private async Task<List<CameraFrame>> ReadAsync(int count, bool isUncompressed = true)
    {
        for (int i = 0; i < 64; i++)
            _device.Send([]); // completes the transfer with the last picture
        Bus.Attach(_device);
        using UsbDevice device = Context.FindDevice(VideoCamera.Filter)!;
        await using VideoCamera camera = VideoCamera.Open(device);
        List<CameraFrame> frames = [];
        using var patience = new CancellationTokenSource(Patience);
        await foreach (CameraFrame frame in camera.ReadFramesAsync(format: 2, frame: 3, framesPerSecond: 30, isUncompressed, patience.Token))
        {
            frames.Add(frame);
            if (frames.Count == count)
                break;
        }

        Assert.Equal(frames[^1].Number + 1 - frames.Count, camera.DroppedFrames);
        return frames;
    }
}
