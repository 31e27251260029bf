using System.Diagnostics.CodeAnalysis;

namespace Native.LibUsb;

/// <summary>
/// Represents the living children of a parent, which closes them before itself. It does not keep them alive, yet still reaches one whose finaliser
/// has not run: long weak references see it, so closing the parent misses nothing.
/// </summary>
internal sealed class ChildSet<T>(CloseState parent)
    where T : class
{
    private readonly LinkedList<WeakReference<T>> _children = new();
    private int _pruneAt = 64;

    /// <summary>Adds a child. Its parent may close it at once, on another thread: this is the last thing that a constructor does.</summary>
    /// <param name="child">The child.</param>
    /// <param name="registration">What <see cref="Remove"/> takes; it is set before any thread finds the child here.</param>
    /// <returns>False when the parent is closing and the child must not live. A parent that begins to close and takes a snapshot then sees every child that
    /// was added.</returns>
    public bool TryAdd(T child, [NotNullWhen(true)] out LinkedListNode<WeakReference<T>>? registration)
    {
        lock (_children)
        {
            registration = null;
            if (!parent.IsOpen)
                return false;
            if (_children.Count >= _pruneAt)
                Prune();
            registration = _children.AddLast(new WeakReference<T>(child, trackResurrection: true));
            return true;
        }
    }

    /// <summary>Removes a child, if it is still there, or ever was.</summary>
    public void Remove(LinkedListNode<WeakReference<T>>? child)
    {
        lock (_children)
        {
            if (child?.List is not null)
                _children.Remove(child);
        }
    }

    /// <summary>Gets the children at this moment, oldest first.</summary>
    public List<T> Snapshot()
    {
        lock (_children)
        {
            var living = new List<T>(_children.Count);
            foreach (WeakReference<T> child in _children)
            {
                if (child.TryGetTarget(out T? target))
                    living.Add(target);
            }

            return living;
        }
    }

    // Children that were never removed, only forgotten and collected.
    private void Prune()
    {
        LinkedListNode<WeakReference<T>>? next;
        for (LinkedListNode<WeakReference<T>>? child = _children.First; child is not null; child = next)
        {
            next = child.Next;
            if (!child.Value.TryGetTarget(out _))
                _children.Remove(child);
        }

        _pruneAt = Math.Max(64, _children.Count * 2);
    }
}
