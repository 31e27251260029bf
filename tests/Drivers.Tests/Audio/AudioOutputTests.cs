using System.Buffers.Binary;
using Drivers.Audio;
using Drivers.Tests.Devices;
using Native.LibUsb.Testing;

namespace Drivers.Tests.Audio;

/// <summary>Tests that the device receives the sound unchanged, at the rate of the device's clock.</summary>
public sealed class AudioOutputTests : BusTest
{
    private const int SampleRate = 44_100, Seconds = 3;

    [BusTheory]
    [InlineData(0)]
    [InlineData(5000)]
    [InlineData(-5000)]
    public async Task Sound_arrives_unchanged_and_at_the_rate_of_the_device(int deviation)
    {
        var sink = new AudioSink(new AudioSinkOptions { ClockDeviation = deviation });
        var arrived = new MemoryStream();
        sink.PacketTaken = (_, data) => arrived.Write(data);
        byte[] sound = Sound(Seconds * SampleRate);
        await using AudioOutput output = Open(sink);
        for (int at = 0; at < sound.Length; at += 4000) // no packet has this length
            await output.WriteAsync(sound.AsMemory(at, Math.Min(4000, sound.Length - at))).AsTask().WaitAsync(Patience);
        await output.FlushAsync().AsTask().WaitAsync(Patience);
        Assert.Equal(sound, arrived.ToArray());
        Assert.True(output.Reports > 300, $"{output.Reports} reports");
        Assert.Equal((0, 0), (sink.Underruns, sink.Overruns));
        (long lowest, long highest) = sink.FillRange;
        Assert.InRange(lowest, 3900, 4096);
        Assert.InRange(highest, 4096, 4300);
    }

    [BusFact]
    public async Task Unplugging_ends_the_playing_with_an_error()
    {
        var sink = new AudioSink();
        await using AudioOutput output = Open(sink);
        sink.Unplug();
        UsbException gone = await Assert.ThrowsAsync<UsbException>(() => output.WriteAsync(Sound(SampleRate)).AsTask().WaitAsync(Patience));
        Assert.Equal(UsbError.NoDevice, gone.Error);
    }

    [BusFact]
    public void A_rate_that_does_not_fit_and_a_device_without_output_are_refused()
    {
        var sink = new AudioSink();
        Assert.Throws<ArgumentOutOfRangeException>(() => Open(sink, 96_000));
        Assert.Throws<InvalidDataException>(() => Open(new FtdiAdapter()));
    }

    private AudioOutput Open(VirtualDevice sink, int rate = SampleRate)
    {
        Bus.Attach(sink);
        using UsbDevice device = Context.FindDevice(sink.Description.VendorId, sink.Description.ProductId)!;
        return AudioOutput.Open(device, rate);
    }

    private static byte[] Sound(int frames)
    {
        byte[] sound = new byte[frames * AudioSink.FrameSize];
        for (int frame = 0; frame < frames; frame++)
            BinaryPrimitives.WriteInt32LittleEndian(sound.AsSpan(frame * AudioSink.FrameSize), frame * 7919);
        return sound;
    }
}
