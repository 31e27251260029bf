// Plays sound at 44.1 kHz. A packet contains the sound of one millisecond: 44.1 frames on average. The device's clock differs slightly from the computer's
// clock. The device therefore reports, on a feedback endpoint, how many frames per packet it needs. The program then puts that many frames into each packet.
// The example needs an asynchronous full-speed audio device, such as "audio" of usbvbus.

using System.Buffers.Binary;
using Native.LibUsb;
using Native.LibUsb.Streaming;

namespace Examples;

internal static class AudioPlayback
{
    private const byte SoundOut = 0x01, FeedbackIn = 0x81;
    private const int AlternateSetting = 1, SampleRate = 44_100, FrameSize = 4; // two samples of 16 bits
    private const int Fraction = 14; // a report contains frames per packet, with 14 fractional bits
    private const int PacketsPerTransfer = 8, FeedbackSize = 3;

    public static async Task RunAsync(ushort vendor, ushort product, int seconds, TextWriter output)
    {
        await using var context = new UsbContext();
        using UsbDevice device = context.FindDevice(vendor, product) ?? throw new IOException("The device is not plugged in.");
        await using UsbDeviceHandle handle = device.Open();
        await using UsbInterface claimed = handle.ClaimInterface(0);
        claimed.SetAlternateSetting(AlternateSetting);

        int framesPerPacket = (int)(((long)SampleRate << Fraction) / 1000); // used until the first report arrives
        long reports = 0;
        await using UsbInputRing feedback = claimed.GetEndpoint(FeedbackIn).CreateInputRing(new UsbRingOptions { PacketsPerTransfer = 1, Transfers = 4 });
        feedback.Start(buffer =>
        {
            foreach (var (status, report) in buffer.Packets)
            {
                if (status != UsbTransferStatus.Completed || report.Length != FeedbackSize)
                    continue; // ignore this packet; the next report replaces it
                Volatile.Write(ref framesPerPacket, BinaryPrimitives.ReadUInt16LittleEndian(report) | (report[2] << 16));
                Interlocked.Increment(ref reports);
            }
        });

        // A feedback report of the device does not change the packets that are already queued. With a short queue, the program therefore adapts quickly to the
        // rate of the device. With a long queue, the sound continues even if the program pauses for a longer time.
        await using UsbOutputRing sound = claimed.GetEndpoint(SoundOut)
            .CreateOutputRing(new UsbRingOptions { PacketsPerTransfer = PacketsPerTransfer, Transfers = 4, Spares = 1 });
        sound.Start();
        output.WriteLine($"Playing {seconds} s at {SampleRate} Hz, {PacketsPerTransfer} packets of up to {sound.PacketSize} bytes in a transfer");

        int[] lengths = new int[PacketsPerTransfer];
        long frames = 0, packets = 0;
        int owed = 0; // the fraction of a frame that has not been sent yet
        while (frames < (long)seconds * SampleRate)
        {
            UsbOutputBuffer buffer = await sound.AcquireAsync();
            int length = 0;
            for (int i = 0; i < lengths.Length; i++)
            {
                owed += Volatile.Read(ref framesPerPacket);
                int due = owed >> Fraction;
                owed -= due << Fraction;
                lengths[i] = Math.Min(due * FrameSize, sound.PacketSize);
                length += lengths[i];
            }

            WriteSound(buffer.Span[..length], frames);
            buffer.Commit(lengths);
            frames += length / FrameSize;
            packets += lengths.Length;
        }

        await sound.FlushAsync();
        output.WriteLine($"Played {frames} frames in {packets} packets, {(Interlocked.Read(ref reports) > 0 ? "at the rate of the device" : "without a report of the device")}");
    }

    // Each frame contains its number and the complement of this number, so that a device can detect lost, repeated and damaged frames.
    private static void WriteSound(Span<byte> sound, long frame)
    {
        for (; !sound.IsEmpty; sound = sound[FrameSize..], frame++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(sound, (ushort)frame);
            BinaryPrimitives.WriteUInt16LittleEndian(sound[2..], (ushort)~frame);
        }
    }
}
