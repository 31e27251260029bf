using System.Diagnostics.CodeAnalysis;

namespace Native.LibUsb;

/// <summary>
/// Represents the set of a parent's children. When the parent closes, it first closes the children in this set. The set refers to the children through long
/// weak references. These references do not keep a child alive, but they still find a child whose finalizer has not run yet. Therefore, a closing parent finds
/// every child.
/// </summary>
internal sealed class ChildSet<T>(CloseState parent)
    where T : class
{
    private readonly LinkedList<WeakReference<T>> _children = new();
    private int _pruneAt = 64;

    /// <summary>
    /// Adds a child. As soon as the child is in the set, the parent may close the child on another thread. Therefore, a child's constructor calls this method
    /// last.
    /// </summary>
    /// <param name="child">The child.</param>
    /// <param name="registration">
    /// The entry of the child, which the caller later passes to <see cref="Remove"/>. The parameter receives the entry before another thread can find the child
    /// in the set.
    /// </param>
    /// <returns>
    /// True if the child is in the set: when the parent closes, the parent finds the child. False if the parent is already closing: the caller must then
    /// release the child.
    /// </returns>
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

    /// <summary>Removes a child if it is in the set.</summary>
    public void Remove(LinkedListNode<WeakReference<T>>? child)
    {
        lock (_children)
        {
            if (child?.List is not null)
                _children.Remove(child);
        }
    }

    /// <summary>Gets the current children, oldest first.</summary>
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

    // Removes the entries of children that were garbage-collected without being removed.
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
