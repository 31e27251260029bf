using System.Buffers.Binary;
using Drivers.Audio;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Tests the driver of <c>Drivers.Audio</c> on QEMU's sound card. QEMU writes the sound to a WAV file on the host.</summary>
/// <remarks>After the machine has ended, the host checks that the file starts with the samples of this test.</remarks>
public sealed class AudioDriverTests : MachineTest
{
    private const int SampleRate = 48_000, FrameSize = 4, Frames = 2 * SampleRate;
    private const int HeaderSize = 44; // the size of the header of a WAV file
    private const int QueueSize = 1 << 20; // the size of the card's queue: larger than the sound, because an emulated clock runs unevenly
    private const int SilenceSize = 50 * 192; // whole packets, more than the 4 KiB that QEMU keeps before it writes to the file
    private const string File = "/out/sound.wav";

    private readonly QemuDevice _card;

    public AudioDriverTests() => _card = Plug("usb-audio", "3", ("audiodev", "sound"), ("buffer", QueueSize));

    [Fact]
    public async Task Played_sound_is_in_the_file()
    {
        byte[] sound = new byte[Frames * FrameSize];
        for (int frame = 0; frame < Frames; frame++)
            BinaryPrimitives.WriteUInt32LittleEndian(sound.AsSpan(frame * FrameSize), unchecked((uint)frame * 2654435761u));
        byte[] silence = new byte[SilenceSize];
        await using AudioOutput output = AudioOutput.Open(_card.Device, SampleRate);
        const int part = 4000; // no packet has this length
        for (int at = 0; at < sound.Length; at += part)
            await output.WriteAsync(sound.AsMemory(at, Math.Min(part, sound.Length - at))).AsTask().WaitAsync(Patience);
        await output.WriteAsync(silence).AsTask().WaitAsync(Patience);
        await output.FlushAsync().AsTask().WaitAsync(Patience);
        Assert.Equal(0, output.Reports);
        // The card discards its queue when the interface is released, so the test waits here until the card has played the sound.
        Machine.WaitUntil(() => new FileInfo(File) is { Exists: true } file && file.Length >= HeaderSize + sound.Length, "the card has played the sound");
        AssertBytes(sound, System.IO.File.ReadAllBytes(File).AsSpan(HeaderSize, sound.Length));
    }
}
